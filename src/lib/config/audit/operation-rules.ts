import { isLoopback } from '../database-tls.ts';
import { isDeployed, type Rule } from './finding.ts';

/**
 * When a line of Node.js gets no more fixes. Source: github.com/nodejs/release#release-schedule. A line that is newer than these
 * is taken for one that gets them.
 */
const endOfLife: Readonly<Record<string, string>> = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
  25: '2026-06-01',
};

const newestKnown = 25;

/** What keeps operators from noticing, or tells others too much. */
export const operationRules: readonly Rule[] = [
  {
    id: 'chaos_on',
    level: 'high',
    title: 'Calls fail on purpose',
    fix: 'Remove CHAOS',
    found: ({ config }) => config.CHAOS !== undefined,
  },
  {
    id: 'node_end_of_life',
    level: 'high',
    title: 'This line of Node.js gets no more security fixes',
    fix: 'Deploy on a newer one: runtime.version in infra/modules/functionapp.bicep, then azd provision',
    found({ nodeVersion, now }) {
      const [line = ''] = nodeVersion.split('.');
      const end = endOfLife[line];
      if (end !== undefined) return now > Date.parse(end) && `Node.js ${line}, since ${end}`;
      // Those in between lasted for half a year.
      return Number(line) < newestKnown && `Node.js ${line}`;
    },
  },
  {
    id: 'debug_logging',
    level: 'medium',
    title: 'Logs hold more than operation needs, and cost more',
    fix: 'Set LOG_LEVEL to info, or remove it, when you have seen what you were looking for',
    found: ({ config }) => config.isProduction && config.LOG_LEVEL === 'debug',
  },
  {
    id: 'no_alert_channel',
    level: 'medium',
    title: 'Nobody is told when a backup fails',
    fix: 'Set SLACK_WEBHOOK_URL or PAGERDUTY_SERVICE_KEY, then POST /api/v1/monitoring/test-alert',
    found: ({ config }) =>
      isDeployed(config) &&
      config.SLACK_WEBHOOK_URL === undefined &&
      config.PAGERDUTY_SERVICE_KEY === undefined,
  },
  {
    id: 'plain_http_telemetry',
    level: 'medium',
    title: 'Traces and metrics leave the machine in the clear',
    fix: 'Set OTEL_EXPORTER_OTLP_ENDPOINT to an https:// address',
    found: ({ config }) => {
      const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT;
      return endpoint?.startsWith('http:') === true && !isLoopback(new URL(endpoint).hostname);
    },
  },
  {
    id: 'no_telemetry',
    level: 'low',
    title: 'Traces and metrics are sent nowhere, so an attack leaves its traces in the log only',
    fix: 'Set APPLICATIONINSIGHTS_CONNECTION_STRING or OTEL_EXPORTER_OTLP_ENDPOINT',
    found: ({ config }) =>
      isDeployed(config) &&
      config.APPLICATIONINSIGHTS_CONNECTION_STRING === undefined &&
      config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined,
  },
  {
    id: 'no_base_url',
    level: 'low',
    title: 'Alerts cannot lead to what they are about',
    fix: 'Set PUBLIC_BASE_URL to the address under which clients reach the app',
    found: ({ config }) => isDeployed(config) && config.PUBLIC_BASE_URL === undefined,
  },
];
