import * as z from 'zod';
import { AppError, type Clock, isAppError, newId, startDeadline } from '../core/index.ts';
import type { NoteAudit } from '../database/index.ts';
import type { Logger } from '../observability/index.ts';
import { type Outbound, OutboundError } from '../outbound/index.ts';
import { type Alert, type AlertSource, type Channel, channelNames } from './channels.ts';

const deliveryShape = z.discriminatedUnion('status', [
  z.strictObject({ channel: z.enum(channelNames), status: z.literal('sent'), http_status: z.int() }),
  z.strictObject({
    channel: z.enum(channelNames),
    status: z.literal('failed'),
    /** Left out where nothing was answered. */
    http_status: z.int().optional(),
    error: z.strictObject({ code: z.string(), message: z.string() }),
  }),
]);

/** What became of a test alert, for each channel. */
export const testAlertShape = z.strictObject({ channels: z.array(deliveryShape) });

type Delivery = z.infer<typeof deliveryShape>;

interface AlertsPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outbound: Outbound;
  readonly channels: readonly Channel[];
  readonly source: AlertSource;
  /** Does not fail: alerts are tried out while the database is down. */
  readonly noteAudit: NoteAudit;
}

/**
 * A channel that is not back by then is in the log. Whoever sends an alert may do so at the end of its own time, and has half a
 * minute left to note what became of its work: after that, the platform ends the process.
 */
const sendMs = 10_000;

/** Word to operators. */
export interface Alerts {
  /** Sends an alert through every channel, if there is any. Takes 10 s at most, and never rejects: the log tells of failures. */
  send(alert: Alert): Promise<void>;
  /**
   * Sends a message through every channel, so that an operator sees whether one arrives.
   *
   * @throws AppError `alerts_not_configured` when there is no channel
   */
  test(signal: AbortSignal): Promise<z.infer<typeof testAlertShape>>;
}

/** Makes the alerts. */
export function createAlerts({ clock, logger, outbound, channels, source, noteAudit }: AlertsPorts): Alerts {
  async function deliver(channel: Channel, alert: Alert, signal: AbortSignal): Promise<Delivery> {
    const { name, url } = channel;
    try {
      const { status } = await outbound.fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(channel.message(alert, source)),
        // An alert that comes twice does less harm than one that does not come.
        repeatable: true,
        signal,
      });
      if (status >= 200 && status < 300) return { channel: name, status: 'sent', http_status: status };
      logger.warning('an alert was refused', { channel: name, http_status: status });
      return { channel: name, status: 'failed', http_status: status, error: refusal };
    } catch (error) {
      logger.warning('an alert could not be sent', { channel: name, error });
      return { channel: name, status: 'failed', ...describeFailure(error) };
    }
  }

  const deliverToAll = (alert: Alert, signal: AbortSignal) =>
    Promise.all(channels.map((channel) => deliver(channel, alert, signal)));

  return {
    async send(alert) {
      using time = startDeadline(clock, sendMs);
      await deliverToAll(alert, time.signal);
    },
    async test(signal) {
      if (channels.length === 0) {
        throw new AppError('alerts_not_configured', 'Set SLACK_WEBHOOK_URL or PAGERDUTY_SERVICE_KEY');
      }
      const deliveries = await deliverToAll(
        { summary: 'This is a test. Alerts arrive here.', severity: 'info', key: `test:${newId()}` },
        signal,
      );
      const after = Object.fromEntries(deliveries.map(({ channel, status }) => [channel, status]));
      await noteAudit([{ action: 'alert.test', object: { type: 'alert', id: 'test' }, after }], signal);
      signal.throwIfAborted();
      return { channels: deliveries };
    },
  };
}

const refusal = {
  code: 'refused',
  message: 'The channel has refused the message; its address or key may be wrong',
};

/** Fixed words only: those of errors may name hosts and addresses. The log has them all. */
function describeFailure(
  error: unknown,
): Pick<Extract<Delivery, { status: 'failed' }>, 'error' | 'http_status'> {
  const answer =
    isAppError(error) && error.cause instanceof OutboundError ? error.cause.statusCode : undefined;
  return {
    ...(answer !== undefined && { http_status: answer }),
    error: isAppError(error)
      ? { code: error.code, message: error.message }
      : { code: 'internal', message: 'The message could not be sent from here; the log says why' },
  };
}
