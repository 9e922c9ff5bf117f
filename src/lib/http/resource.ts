import { isSecretName, resourceName } from '../observability/index.ts';

/**
 * What a request acts on, by its address: `files/<id>` for `api/v1/files/{id}/content`; `undefined` where the route has no
 * parameter. Values stay as they came over the wire: nobody has checked them yet.
 */
export function resourceOf(route: string, url: string): string | undefined {
  const segments = route.split('/');
  const isParameter = (segment: string) => segment.startsWith('{');
  const first = segments.findIndex(isParameter);
  if (first < 0) return undefined;
  const [path = ''] = url.split('?');
  const values = path.replace(/^\//, '').split('/');
  const named = segments.map((segment, index) => {
    if (!isParameter(segment)) return segment;
    return isSecretName(segment.slice(1, -1)) ? '[redacted]' : (values[index] ?? '');
  });
  return resourceName(named.slice(Math.max(0, first - 1), segments.findLastIndex(isParameter) + 1));
}
