/** How bad it is; the words of PagerDuty. */
export type Severity = 'critical' | 'error' | 'warning' | 'info';

/** Something an operator should know. */
export interface Alert {
  /** One sentence; may hold anything, so it is escaped for each channel. */
  readonly summary: string;
  readonly severity: Severity;
  /** What it is about. In PagerDuty an alert of the same key adds to the one that is open. */
  readonly key: string;
  /** Where in the API there is more: `/api/v1/backups/<name>`. Shown where it is known under which address the API is reached. */
  readonly path?: string;
}

/** What is the same for all alerts. */
export interface AlertSource {
  /** What an alert comes from, as operators call it. */
  readonly name: string;
  /** Address of the API, without a slash at its end. Never that of a request, which whoever sends it can choose. */
  readonly baseUrl: string | undefined;
}

export const channelNames = ['slack', 'pagerduty'] as const;

/** A way to reach operators over HTTP. */
export interface Channel {
  readonly name: (typeof channelNames)[number];
  /** Where messages are posted. A secret as a whole: of Slack, knowing it is all it takes. */
  readonly url: string;
  /** The message, in JSON. */
  message(alert: Alert, source: AlertSource): object;
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

function linkOf({ path }: Alert, { baseUrl }: AlertSource): string | undefined {
  return path === undefined || baseUrl === undefined ? undefined : `${baseUrl}${path}`;
}

/** An incoming webhook. Source: docs.slack.dev, "Sending messages using incoming webhooks". */
function slack(url: string): Channel {
  return {
    name: 'slack',
    url,
    message(alert, source) {
      const text = escapeMarkup(`[${alert.severity}] ${source.name}: ${alert.summary}`);
      const link = linkOf(alert, source);
      return { text: link === undefined ? text : `${text} (<${escapeMarkup(link)}|more>)` };
    },
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
    message(alert, source) {
      const { summary, severity, key } = alert;
      const link = linkOf(alert, source);
      return {
        routing_key: routingKey,
        event_action: 'trigger',
        dedup_key: key.slice(0, maxKeyLength),
        payload: { summary: summary.slice(0, maxSummaryLength), source: source.name, severity },
        ...(source.baseUrl !== undefined && { client: source.name, client_url: source.baseUrl }),
        ...(link !== undefined && { links: [{ href: link, text: 'More in the API' }] }),
      };
    },
  };
}
