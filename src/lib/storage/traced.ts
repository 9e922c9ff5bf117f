import { isRecorded, withClientSpan } from '../observability/index.ts';

/**
 * Runs a call to storage inside a span of its own, with all its tries: what a caller waits for. By name it says only
 * what was done where; what a blob or row is called is in no span. Outside of an invocation there is none: what goes on in
 * the background every few seconds would be most of the traces.
 */
export function traced<T>(
  dependency: string,
  operation: string,
  container: string,
  run: () => Promise<T>,
): Promise<T> {
  if (!isRecorded()) return run();
  const attributes = {
    'azure.resource_provider.namespace': 'Microsoft.Storage',
    'crownsafe.storage.operation': operation,
    'crownsafe.storage.container': container,
  };
  return withClientSpan(`${dependency} ${operation}`, attributes, run);
}
