import type { HttpResponseInit } from '@azure/functions';
import {
  AppError,
  type Clock,
  type Deadline,
  isAppError,
  type Lifecycle,
  rejectOnAbort,
  startDeadline,
} from '../core/index.ts';
import {
  chooseCorrelationId,
  type InvocationContext,
  type Logger,
  type Metrics,
  runInContext,
  startInvocationSpan,
  type TraceHeaders,
} from '../observability/index.ts';
import type { Authenticate, IsScraper, Scope } from '../security/index.ts';
import { clientGoneStatus, createAccessLog } from './access-log.ts';
import { createAdmission, type Limits } from './admission.ts';
import { Answer, type AnswerHeaders, json } from './answer.ts';
import { clientAddress } from './client-address.ts';
import { ClientGoneError } from './client-gone.ts';
import { corsHeaders, preflightAnswer } from './cors.ts';
import type { Endpoint } from './endpoint.ts';
import { readRequestKey } from './idempotency.ts';
import { readInput } from './input.ts';
import { problemAnswer } from './problem.ts';
import type { RawExchange, RawRequests } from './raw-requests.ts';
import { resourceOf } from './resource.ts';
import { securityHeaders } from './security-headers.ts';
import { send } from './send.ts';
import { blameSlowBody, watchBody } from './slow-body.ts';

/** The platform cuts an answer whose first byte has not come after 230 s; ours must be out before. */
const firstByteTimeoutMs = 220_000;

interface EdgePorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  readonly rawRequests: RawRequests;
  /** Settles when the app has what it needs for any work, such as its secrets. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  readonly authenticate: Authenticate;
  readonly isScraper: IsScraper;
  readonly isProduction: boolean;
  readonly corsOrigins: readonly string[];
  readonly trustedProxyHops: number;
  /** `undefined`: nobody is limited, as in tests. */
  readonly limits: Limits | undefined;
  /** Keeps for the audit trail that a known caller has been refused. Takes seconds at most, and never rejects. */
  readonly noteRefusal: (endpoint: string, scope: Scope) => Promise<void>;
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
  const admit = createAdmission(ports);

  /** Runs `answer` with everything every request gets: context, deadline, problems, headers, log line, metrics. */
  async function respond(
    route: string,
    invocation: Invocation,
    answer: (
      exchange: RawExchange,
      deadline: Deadline,
      limitHeaders: Record<string, string>,
    ) => Promise<Answer>,
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
      clientAddress: clientAddress(request, ports.trustedProxyHops),
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
      const limitHeaders: Record<string, string> = {};
      const sendAnswer = (toSend: Answer, cause?: unknown) =>
        send({
          answer: toSend,
          headers: answerHeaders(toSend, context.correlationId, {
            ...corsHeaders(ports.corsOrigins, request.headers),
            ...limitHeaders,
          }),
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
        return await sendAnswer(
          await rejectOnAbort(answer(exchange, deadline, limitHeaders), deadline.signal),
        );
      } catch (thrown) {
        const error = blameSlowBody(thrown, request);
        // The rest of such a body is not waited for.
        if (isAppError(error, 'request_timeout')) response.setHeader('connection', 'close');
        return await sendAnswer(problemAnswer(error, context.correlationId), error);
      } finally {
        context.write = undefined;
      }
    });
  }

  return {
    serve: (endpoint, invocation) =>
      respond(endpoint.route, invocation, async ({ request }, deadline, limitHeaders) => {
        const { signal } = deadline;
        if (!endpoint.answersWhileStopping) {
          ports.lifecycle.throwIfStopping();
          await ports.ready(signal);
        }
        const caller = await admit(endpoint, request, limitHeaders, signal);
        using _ = watchBody(clock, request, deadline.abort);
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

/** A client that will not wait that long says so in seconds; it can only shorten the time. */
function shorten(deadline: Deadline, requestedSeconds: string | undefined): void {
  if (requestedSeconds === undefined) return;
  const seconds = /^\d{1,9}(?:\.\d{1,9})?$/.test(requestedSeconds) ? Number(requestedSeconds) : 0;
  if (seconds === 0)
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
  { body, headers }: Answer,
  correlationId: string,
  ofRequest: AnswerHeaders,
): Record<string, string> {
  return {
    ...securityHeaders,
    ...(body.kind === 'json' && { 'content-type': 'application/json' }),
    ...(body.kind === 'text' && { 'content-type': body.contentType }),
    ...ofRequest,
    ...headers,
    'x-correlation-id': correlationId,
  };
}

/** Node joins most repeated headers; one that it lists instead is not what a client of ours sends. */
function singleHeader(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
