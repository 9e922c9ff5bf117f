/** How bad it is; the words of PagerDuty. */
export type Severity = 'critical' | 'error' | 'warning' | 'info';

/** Something an operator should know. */
export interface Alert {
  /** One sentence; may hold anything, so it is escaped for each channel. */
  readonly summary: string;
  readonly severity: Severity;
  /** What it is about. In PagerDuty an alert of the same key adds to the one that is open. */
  readonly key: string;
}

export const channelNames = ['slack', 'pagerduty'] as const;

/** A way to reach operators over HTTP. */
export interface Channel {
  readonly name: (typeof channelNames)[number];
  /** Where messages are posted. A secret as a whole: of Slack, knowing it is all it takes. */
  readonly url: string;
  /** The message, in JSON. */
  message(alert: Alert, source: string): object;
}

interface ChannelOptions {
  readonly slackWebhookUrl: string | undefined;
  readonly pagerDutyKey: string | undefined;
  /** Default: that of PagerDuty's service. */
  readonly pagerDutyOrigin?: string;
}

/** The channels that are configured. */
export function alertChannels(options: ChannelOptions): readonly Channel[] {
  const { slackWebhookUrl, pagerDutyKey, pagerDutyOrigin = 'https://events.pagerduty.com' } = options;
  return [
    ...(slackWebhookUrl === undefined ? [] : [slack(slackWebhookUrl)]),
    ...(pagerDutyKey === undefined ? [] : [pagerDuty(pagerDutyKey, pagerDutyOrigin)]),
  ];
}

/** An incoming webhook. Source: docs.slack.dev, "Sending messages using incoming webhooks". */
function slack(url: string): Channel {
  return {
    name: 'slack',
    url,
    message: ({ summary, severity }, source) => ({
      text: escapeMarkup(`[${severity}] ${source}: ${summary}`),
    }),
  };
}

/** Otherwise `<!channel>` would call everybody. Source: docs.slack.dev, "Formatting message text". */
function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** PagerDuty takes no longer ones. Source: developer.pagerduty.com, "PD-CEF" (summary) and "Send an alert event" (dedup_key). */
const maxSummaryLength = 1024;
const maxKeyLength = 255;

/** Events API v2. Source: developer.pagerduty.com, "Send an alert event". */
function pagerDuty(routingKey: string, origin: string): Channel {
  return {
    name: 'pagerduty',
    url: `${origin}/v2/enqueue`,
    message: ({ summary, severity, key }, source) => ({
      routing_key: routingKey,
      event_action: 'trigger',
      dedup_key: key.slice(0, maxKeyLength),
      payload: { summary: summary.slice(0, maxSummaryLength), source, severity },
    }),
  };
}
