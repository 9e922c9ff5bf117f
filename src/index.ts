import { app, type HttpMethod, type InvocationContext } from '@azure/functions';
import { endpoints, queues, timers } from './functions/index.ts';
import { isDeployed, refuseCritical, silenceLibraries } from './lib/config/index.ts';
import { type Endpoint, ignoreTriggerMetadata } from './lib/http/index.ts';
import { type BackgroundInvocation, runInvocation } from './lib/jobs/index.ts';
import type { LogLevel } from './lib/observability/index.ts';
import { observeProcess } from './observe-process.ts';
import { runtime } from './runtime.ts';

/*
 * The entry the worker loads: registers everything that src/functions declares. Settings that are not usable throw
 * here, which makes a bad deployment loud, and so do those that are not safe in production; anything that is only out of
 * reach does not.
 */
silenceLibraries();
const { config, edge, clock, logger, lifecycle, secrets, securityAudit, telemetry } = runtime();
refuseCritical(config);
await telemetry.register();
// Nobody waits for it.
if (isDeployed(config)) void securityAudit().then((audit) => audit.logSettings());

observeProcess(logger, process);
app.setup({ enableHttpStream: true });
app.hook.appTerminate(() => runtime().dispose());

for (const endpoint of endpoints) registerEndpoint(endpoint);

for (const { name, schedule, handle } of timers) {
  app.timer(name, {
    schedule,
    handler: (_timer, context) => runInBackground(invocationOf(context), handle),
  });
}

for (const { name, queueName, handle, causeOf } of queues) {
  app.storageQueue(name, {
    queueName,
    connection: 'AzureWebJobsStorage',
    handler(message, context) {
      const invocation = { ...invocationOf(context), ...causeOf(message), queueName };
      return runInBackground(invocation, (signal) => handle(message, signal));
    },
  });
}

// The library hands its model to the worker at the first registration, so this comes after.
ignoreTriggerMetadata();

/** Registers an endpoint with the methods it answers; one function of each route template answers `OPTIONS` for all. */
function registerEndpoint(endpoint: Endpoint): void {
  const { name, route } = endpoint;
  const siblings = endpoints.filter((other) => other.route === route);
  const methods = methodsOf(endpoint);
  const allMethods = [...siblings.flatMap(methodsOf), 'OPTIONS'];
  const answersOptions = endpoint === optionsFunction(siblings);
  app.http(name, {
    route,
    methods: answersOptions ? [...methods, 'OPTIONS'] : methods,
    authLevel: 'anonymous',
    async handler(request, context) {
      const invocation = invocationOf(context);
      try {
        if (request.method === 'OPTIONS') return await edge.preflight(route, allMethods, invocation);
        return await edge.serve(endpoint, invocation);
      } finally {
        telemetry.flushSoon();
      }
    },
  });
}

/** Nobody waits for the answer of a timer or message, and the instance may be gone a moment after it: telemetry is sent before. */
async function runInBackground(
  invocation: BackgroundInvocation,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    await runInvocation({ clock, logger, lifecycle }, invocation, async (signal) => {
      await secrets.ready(signal);
      await work(signal);
    });
  } finally {
    await telemetry.flush();
  }
}

function methodsOf({ method }: Endpoint): HttpMethod[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method];
}

function optionsFunction(siblings: readonly Endpoint[]): Endpoint | undefined {
  // Not by `localeCompare`: the rules of languages, which nothing else needs, cost a cold start 6 ms.
  const byName = siblings.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return byName.find(({ method }) => method === 'GET') ?? byName[0];
}

function invocationOf(context: InvocationContext) {
  return {
    invocationId: context.invocationId,
    functionName: context.functionName,
    trace: {
      traceparent: context.traceContext?.traceParent ?? undefined,
      tracestate: context.traceContext?.traceState ?? undefined,
    },
    writeLog: (level: LogLevel, line: string) => writeTo(context, level, line),
  };
}

/** LOG_LEVEL alone decides what is written: the platform would drop what it takes for detail (host.json), with no word of it. */
function writeTo(context: InvocationContext, level: LogLevel, line: string): void {
  if (level === 'error') context.error(line);
  else if (level === 'warning') context.warn(line);
  else context.info(line);
}
