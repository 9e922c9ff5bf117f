import { withClientSpan } from '../observability/index.ts';

/**
 * Runs a call to storage inside a span of its own, with all its tries: what a caller waits for. By name it says only
 * what was done where; what a blob or row is called is in no span.
 */
export function traced<T>(
  dependency: string,
  operation: string,
  container: string,
  run: () => Promise<T>,
): Promise<T> {
  const attributes = {
    'azure.resource_provider.namespace': 'Microsoft.Storage',
    'crownsafe.storage.operation': operation,
    'crownsafe.storage.container': container,
  };
  return withClientSpan(`${dependency} ${operation}`, attributes, run);
}
