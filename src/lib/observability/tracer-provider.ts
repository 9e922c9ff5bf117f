import { trace } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  ParentBasedSampler,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';

interface TracerProviderOptions {
  readonly resource: Resource;
  /** Share of the traces that begin here which are kept. */
  readonly sampleRatio: number;
  readonly processors: readonly SpanProcessor[];
}

/** Nothing of ours comes near; they bound what custom spans can do. In characters, and per span. */
const spanLimits = {
  attributeValueLengthLimit: 2_048,
  attributeCountLimit: 64,
  eventCountLimit: 32,
  linkCountLimit: 32,
};

/** Lets spans be made in this process. In a file of its own, because an app that sends nothing needs none of the SDK. */
export function registerTracerProvider({ resource, sampleRatio, processors }: TracerProviderOptions): void {
  const root = new TraceIdRatioBasedSampler(sampleRatio);
  const provider = new BasicTracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root }),
    spanLimits,
    spanProcessors: [...processors],
  });
  trace.setGlobalTracerProvider(provider);
}
