import * as z from 'zod';
import { notes } from './notes.ts';

/** The address of a webhook; plain HTTP is for tests only, and a check across settings sees to it. */
const webhookUrl = z
  .url({ protocol: /^https?$/, error: 'must be an https:// URL', abort: true })
  .refine((text) => !/^\w+:\/\/[^/]*@/.test(text), 'must not hold credentials');

/** Where alerts are sent. */
export const alertsSettings = {
  SLACK_WEBHOOK_URL: webhookUrl.optional().register(notes, {
    group: 'alerts',
    description:
      'Incoming webhook of Slack, or of a service that takes its messages, under a public address. Whoever knows it can post.',
    secret: true,
  }),
  PAGERDUTY_SERVICE_KEY: z
    .string()
    .regex(/^[A-Za-z0-9]{32}$/, 'must be an integration key of 32 letters or digits')
    .optional()
    .register(notes, {
      group: 'alerts',
      description: 'Integration key of a PagerDuty service, for its Events API v2.',
      secret: true,
    }),
};
