import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { createLifecycle } from '../../../src/lib/core/lifecycle.ts';
import { runInvocation } from '../../../src/lib/jobs/invocation.ts';
import { recordTelemetry } from '../../support/recording-destination.ts';

const logger = { debug() {}, info() {}, warning() {}, error() {}, child: () => logger };
const traceId = 'c'.repeat(32);

async function spanOf(invocation: object, work: () => Promise<void> = async () => {}) {
  await using recorded = await recordTelemetry();
  const { clock } = recorded;
  await runInvocation(
    { clock, logger, lifecycle: createLifecycle({ clock, logger }) },
    { invocationId: 'i', functionName: 'nightly', writeLog: () => {}, correlationId: 'c-1', ...invocation },
    work,
  ).catch(() => {});
  await recorded.telemetry.flush();
  return recorded.spans[0];
}

describe('the span of a background invocation', () => {
  it('of a timer is named by its function', async () => {
    expect(await spanOf({})).toMatchObject({
      name: 'nightly',
      kind: SpanKind.INTERNAL,
      attributes: { 'faas.trigger': 'timer', correlation_id: 'c-1' },
      status: { code: SpanStatusCode.UNSET },
    });
  });

  it('of a message goes on in the trace of its sender', async () => {
    const cause = { traceparent: `00-${traceId}-${'d'.repeat(16)}-01` };

    expect(await spanOf({ queueName: 'jobs', cause })).toMatchObject({
      name: 'process jobs',
      kind: SpanKind.CONSUMER,
      parentSpanContext: { traceId },
      attributes: {
        'messaging.system': 'azure_storage_queue',
        'messaging.operation.type': 'process',
        'messaging.operation.name': 'process',
        'messaging.destination.name': 'jobs',
      },
    });
  });

  it('says that the work failed', async () => {
    const span = await spanOf({}, () => Promise.reject(new RangeError('broken')));

    expect(span).toMatchObject({
      attributes: { 'error.type': 'RangeError' },
      status: { code: SpanStatusCode.ERROR },
    });
  });
});
