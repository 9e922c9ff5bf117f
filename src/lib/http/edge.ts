import type { IncomingMessage } from 'node:http';
import type { HttpResponseInit } from '@azure/functions';
import {
  AppError,
  type Clock,
  type Deadline,
  type Lifecycle,
  rejectOnAbort,
  startDeadline,
} from '../core/index.ts';
import {
  chooseCorrelationId,
  currentContext,
  type InvocationContext,
  type Logger,
  type Metrics,
  runInContext,
  startInvocationSpan,
  type TraceHeaders,
} from '../observability/index.ts';
import { type Authenticate, allows, type Caller, type IsScraper } from '../security/index.ts';
import { clientGoneStatus, createAccessLog } from './access-log.ts';
import { Answer, json } from './answer.ts';
import { ClientGoneError } from './client-gone.ts';
import { corsHeaders, preflightAnswer } from './cors.ts';
import { readCredentials } from './credentials.ts';
import type { Access, Endpoint } from './endpoint.ts';
import { readRequestKey } from './idempotency.ts';
import { readInput } from './input.ts';
import { problemAnswer } from './problem.ts';
import type { RawExchange, RawRequests } from './raw-requests.ts';
import { resourceOf } from './resource.ts';
import { send } from './send.ts';

/** The platform cuts an answer whose first byte has not come after 230 s; ours must be out before. */
const firstByteTimeoutMs = 220_000;

interface EdgePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  readonly rawRequests: RawRequests;
  readonly authenticate: Authenticate;
  readonly isScraper: IsScraper;
  readonly isProduction: boolean;
  readonly corsOrigins: readonly string[];
}

/** What the platform tells of an invocation. */
export interface Invocation {
  readonly invocationId: string;
  readonly functionName: string;
  /** The platform's own log of this invocation; usable until the handler has returned. */
  readonly writeLog: InvocationContext['write'];
  /** Where the platform's own span of this invocation stands in its trace. */
  readonly trace?: TraceHeaders;
}

/** The one wrapper around every HTTP handler. It always answers: no throw, bad value or abort leaves a request open. */
export interface Edge {
  serve(endpoint: Endpoint, invocation: Invocation): Promise<HttpResponseInit>;
  preflight(route: string, methods: readonly string[], invocation: Invocation): Promise<HttpResponseInit>;
}

/** Makes the edge. */
export function createEdge(ports: EdgePorts): Edge {
  const { clock, rawRequests } = ports;
  const accessLog = createAccessLog(clock, ports.logger.child('http'), ports.metrics);

  /** Runs `answer` with everything every request gets: context, deadline, problems, headers, log line, metrics. */
  async function respond(
    route: string,
    invocation: Invocation,
    answer: (exchange: RawExchange, deadline: Deadline) => Promise<Answer>,
  ): Promise<HttpResponseInit> {
    const exchange = rawRequests.claim(invocation.invocationId);
    if (!exchange) return { status: clientGoneStatus };
    const { request, response } = exchange;
    const logEnd = accessLog.start(request.method ?? 'GET', route);
    const header = (name: string) => singleHeader(request.headers[name]);
    const correlationId = chooseCorrelationId(header);
    const span = startInvocationSpan({
      trigger: 'http',
      // By its template: a path has ids, and in links secrets.
      name: `${request.method} /${route}`,
      correlationId,
      attributes: { 'http.request.method': request.method, 'http.route': `/${route}` },
      host: invocation.trace,
      cause: { traceparent: header('traceparent'), tracestate: header('tracestate') },
    });
    const context: InvocationContext = {
      correlationId,
      functionName: invocation.functionName,
      requestId: invocation.invocationId,
      resource: resourceOf(route, request.url ?? '/'),
      write: invocation.writeLog,
      span,
    };
    return runInContext(context, async () => {
      const activity = ports.lifecycle.begin();
      // Not before the answer is out: the end of the process would take it along.
      response.once('close', () => activity[Symbol.dispose]());
      const deadline = startDeadline(clock, firstByteTimeoutMs, activity.signal);
      const onClose = () => {
        if (!response.writableFinished) deadline.abort(new ClientGoneError());
      };
      response.once('close', onClose);
      const sendAnswer = (toSend: Answer, cause?: unknown) =>
        send({
          answer: toSend,
          headers: answerHeaders(
            toSend,
            context.correlationId,
            corsHeaders(ports.corsOrigins, request.headers),
          ),
          withoutBody: request.method === 'HEAD',
          response,
          deadline,
          // A transfer ends in whatever context the last chunk was asked for.
          onEnd: (error) => runInContext(context, () => finish(toSend.status, error ?? cause)),
        });
      const finish = (status: number, error: unknown) => {
        const hasGone = deadline.signal.reason instanceof ClientGoneError || error instanceof ClientGoneError;
        response.off('close', onClose);
        deadline[Symbol.dispose]();
        // What a refused body still has to say is let go by, or it would block the connection for the next request.
        request.resume();
        const outcome = hasGone ? clientGoneStatus : status;
        logEnd(outcome, error);
        // An error that comes with a success broke off an answer that had begun.
        const hasFailed = outcome >= 500 || (outcome < 400 && error !== undefined);
        const failure = hasFailed ? (error ?? String(outcome)) : undefined;
        span.end({ 'http.response.status_code': outcome }, failure);
      };
      try {
        shorten(deadline, header('x-request-timeout'));
        // Whatever does not heed the signal must not keep the client waiting.
        return await sendAnswer(await rejectOnAbort(answer(exchange, deadline), deadline.signal));
      } catch (error) {
        return await sendAnswer(problemAnswer(error, context.correlationId), error);
      } finally {
        context.write = undefined;
      }
    });
  }

  return {
    serve: (endpoint, invocation) =>
      respond(endpoint.route, invocation, async ({ request }, deadline) => {
        if (!endpoint.answersWhileStopping) ports.lifecycle.throwIfStopping();
        const { signal } = deadline;
        const caller = await authorize(ports, endpoint.access, request, signal);
        const requestKey = readRequestKey(endpoint, caller, request.headers);
        const input = await readInput(endpoint, request);
        const result = await endpoint.handle({ ...input, caller, requestKey, raw: request, signal } as never);
        const answer =
          result instanceof Answer ? result : json(Number(Object.keys(endpoint.responses)[0]), result);
        if (!ports.isProduction) checkAnswer(endpoint, answer);
        return answer;
      }),
    preflight: (route, methods, invocation) =>
      respond(route, invocation, async ({ request }) => preflightAnswer(methods, request.headers)),
  };
}

async function authorize(
  ports: EdgePorts,
  access: Access,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<Caller | undefined> {
  if (access.kind === 'public') return undefined;
  const credentials = readCredentials(request);
  const { authorization } = credentials;
  if (access.kind === 'scrape' && (!ports.isProduction || ports.isScraper(authorization))) return undefined;
  const caller = await ports.authenticate(credentials, signal);
  // Known from here on, also in the log line of a refusal.
  const context = currentContext();
  if (context) context.userId = caller.id;
  if (allows(caller, access.scope)) return caller;
  throw new AppError('forbidden', `The scope ${access.scope} is required`, {
    // Of the two schemes only bearer has words for it (RFC 6750 §3.1).
    headers:
      authorization === undefined
        ? {}
        : {
            'www-authenticate': `Bearer realm="crownsafe", error="insufficient_scope", scope="${access.scope}"`,
          },
  });
}

/** A client that will not wait that long says so in seconds; it can only shorten the time. */
function shorten(deadline: Deadline, requestedSeconds: string | undefined): void {
  if (requestedSeconds === undefined) return;
  const seconds = Number(requestedSeconds);
  if (!(seconds > 0))
    throw new AppError('malformed_request', 'x-request-timeout must be a number of seconds above 0');
  if (seconds * 1000 < deadline.remainingMs()) deadline.extend(seconds * 1000);
}

/** Outside production the declared shapes are held against the real ones, so that the contract cannot drift. */
function checkAnswer(endpoint: Endpoint, answer: Answer): void {
  if (!(answer.status in endpoint.responses))
    throw new Error(`${endpoint.name} does not declare ${answer.status}`);
  const schema = endpoint.responses[answer.status];
  if (schema && answer.body.kind === 'json') schema.parse(answer.body.value);
}

function answerHeaders(
  answer: Answer,
  correlationId: string,
  cors: Answer['headers'],
): Record<string, string> {
  const contentType =
    answer.body.kind === 'json'
      ? 'application/json'
      : answer.body.kind === 'text'
        ? answer.body.contentType
        : undefined;
  return {
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'strict-transport-security': 'max-age=31536000; includeSubDomains',
    'x-content-type-options': 'nosniff',
    ...(contentType && { 'content-type': contentType }),
    ...cors,
    ...answer.headers,
    'x-correlation-id': correlationId,
  };
}

/** Node joins most repeated headers; one that it lists instead is not what a client of ours sends. */
function singleHeader(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
