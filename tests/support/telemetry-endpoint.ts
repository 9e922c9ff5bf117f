import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { type Answer, startMisbehavingServer } from './misbehaving-server.ts';
import { makeSelfSigned } from './self-signed.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/** A span as a collector gets it by OTLP; attributes as plain values. */
export interface ReceivedSpan {
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 5 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string }[];
  /** Of the status; 2 is an error. */
  readonly statusCode: number;
}

/** An item as Application Insights gets it. */
export interface ReceivedItem {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: {
    readonly baseType: string;
    readonly baseData: {
      readonly name?: string;
      readonly type?: string;
      /** Of a dependency: the statement. */
      readonly data?: string;
      readonly properties?: Readonly<Record<string, string>>;
      readonly metrics?: readonly { readonly name: string; readonly value: number }[];
    };
  };
}

/** A collector and an Application Insights, both on this machine. */
export interface TelemetryEndpoint extends AsyncDisposable {
  /** Settings by which an app sends to both. */
  readonly environment: Readonly<Record<string, string>>;
  readonly spans: readonly ReceivedSpan[];
  /** Names of the metrics the collector got. */
  readonly metricNames: readonly string[];
  readonly items: readonly ReceivedItem[];
  /** `authorization` of what came to Application Insights. */
  readonly authorizations: ReadonlySet<string | undefined>;
  /** Everything that was received by either, as text: path, headers and decoded body. */
  readonly everything: string;
  /** Answers otherwise from now on; left out, it takes everything again. */
  behave(answer?: Answer): void;
}

interface OtlpSpan extends Omit<ReceivedSpan, 'attributes' | 'statusCode' | 'links'> {
  readonly attributes: readonly {
    readonly key: string;
    readonly value: Readonly<Record<string, unknown>>;
  }[];
  readonly links?: ReceivedSpan['links'];
  readonly status: { readonly code?: number };
}

/** Starts both. */
export async function startTelemetryEndpoint(): Promise<TelemetryEndpoint> {
  await using stack = new AsyncDisposableStack();
  const folder = makeTemporaryFolder();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const spans: ReceivedSpan[] = [];
  const metricNames: string[] = [];
  const items: ReceivedItem[] = [];
  const authorizations = new Set<string | undefined>();
  const texts: string[] = [];
  let other: Answer | undefined;

  const read = async (request: IncomingMessage): Promise<unknown> => {
    const bytes = await buffer(request);
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
    texts.push(`${request.url} ${JSON.stringify(request.headers)}\n${text}`);
    return JSON.parse(text);
  };
  const collector = stack.use(
    await startMisbehavingServer((request, response, number) => {
      if (other) return other(request, response, number);
      void read(request).then((body) => {
        spans.push(...spansIn(body));
        metricNames.push(...metricNamesIn(body));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    }),
  );
  const selfSigned = makeSelfSigned();
  const certificateFile = join(folder, 'certificate.pem');
  await writeFile(certificateFile, selfSigned.certificate);
  const insights = stack.use(
    await startMisbehavingServer((request, response, number) => {
      if (other) return other(request, response, number);
      authorizations.add(request.headers.authorization);
      void read(request).then((body) => {
        const received = body as ReceivedItem[];
        items.push(...received);
        const answer = { itemsReceived: received.length, itemsAccepted: received.length, errors: [] };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      });
    }, selfSigned),
  );
  const owned = stack.move();
  return {
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=key%20of%20the%20collector',
      APPLICATIONINSIGHTS_CONNECTION_STRING: `InstrumentationKey=${randomUUID()};IngestionEndpoint=${insights.origin}/`,
      APPLICATION_INSIGHTS_NO_STATSBEAT: 'true',
      NODE_EXTRA_CA_CERTS: certificateFile,
    },
    spans,
    metricNames,
    items,
    authorizations,
    get everything() {
      return texts.join('\n');
    },
    behave(answer) {
      other = answer;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function spansIn(body: unknown): ReceivedSpan[] {
  const { resourceSpans = [] } = body as {
    resourceSpans?: readonly { scopeSpans: readonly { spans: readonly OtlpSpan[] }[] }[];
  };
  return resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap((scope) => scope.spans)
    .map(({ attributes, status, links = [], ...span }) => ({
      ...span,
      links,
      statusCode: status.code ?? 0,
      attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
    }));
}

function metricNamesIn(body: unknown): string[] {
  const { resourceMetrics = [] } = body as {
    resourceMetrics?: readonly { scopeMetrics: readonly { metrics: readonly { name: string }[] }[] }[];
  };
  return resourceMetrics
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics.map(({ name }) => name));
}
