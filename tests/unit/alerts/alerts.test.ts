import { describe, expect, it } from 'vitest';
import { alertChannels, createAlerts } from '../../../src/lib/alerts/index.ts';
import { type Clock, startDeadline, systemClock } from '../../../src/lib/core/index.ts';
import type { AuditEntry } from '../../../src/lib/database/index.ts';
import { createLogger } from '../../../src/lib/observability/index.ts';
import { createOutbound } from '../../../src/lib/outbound/index.ts';
import { createResilience } from '../../../src/lib/resilience/index.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { type Answer, startMisbehavingServer } from '../../support/misbehaving-server.ts';

const { signal } = new AbortController();
const slackPath = '/services/T0001/B0002/geheim-slack';
const pagerDutyKey = 'geheimgeheimgeheimgeheimgeheim00';

interface Post {
  readonly path: string;
  readonly body: { readonly [name: string]: unknown };
}

/** Alerts whose channels are all on one server, which answers each path in its way. */
async function openAlerts(
  answers: { slack?: Answer; pagerDuty?: Answer },
  options: { allowedHosts?: readonly string[]; clock?: Clock } = {},
) {
  const posts: Post[] = [];
  const lines: string[] = [];
  const server = await startMisbehavingServer((request, response, number) => {
    const { url: path = '' } = request;
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      posts.push({ path, body: JSON.parse(text) });
      (path === slackPath ? answers.slack : answers.pagerDuty)?.(request, response, number);
    });
  });
  const channels = alertChannels({
    slackWebhookUrl: answers.slack && `${server.origin}${slackPath}`,
    pagerDutyKey: answers.pagerDuty && pagerDutyKey,
    pagerDutyOrigin: server.origin,
  });
  const { clock = { ...systemClock, random: () => 0 } } = options;
  const outbound = createOutbound({
    resilience: createResilience({ clock }),
    allowedHosts: options.allowedHosts ?? [new URL(server.origin).host],
    allowLoopback: true,
    propagate: () => ({}),
  });
  const audited: AuditEntry[] = [];
  const logger = createLogger({ clock, level: 'debug', write: (line) => lines.push(line) });
  return {
    alerts: createAlerts({
      clock,
      logger,
      outbound,
      channels,
      source: { name: 'Crown Safe (test)', baseUrl: undefined },
      noteAudit: async (entries) => void audited.push(...entries),
    }),
    audited,
    posts,
    lines,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await outbound.close();
    },
  };
}

const say =
  (status: number, body = ''): Answer =>
  (_, response) => {
    response.writeHead(status).end(body);
  };

describe('a test alert', () => {
  it('goes to every channel, in its own form', async () => {
    await using setUp = await openAlerts({ slack: say(200, 'ok'), pagerDuty: say(202) });

    const outcome = await setUp.alerts.test(signal);

    expect(outcome).toEqual({
      channels: [
        { channel: 'slack', status: 'sent', http_status: 200 },
        { channel: 'pagerduty', status: 'sent', http_status: 202 },
      ],
    });
    expect(setUp.posts.toSorted((a, b) => a.path.localeCompare(b.path))).toEqual(
      [
        {
          path: slackPath,
          body: { text: '[info] Crown Safe (test): This is a test. Alerts arrive here.' },
        },
        {
          path: '/v2/enqueue',
          body: {
            routing_key: pagerDutyKey,
            event_action: 'trigger',
            dedup_key: expect.stringMatching(/^test:[0-9a-f-]{36}$/),
            payload: {
              summary: 'This is a test. Alerts arrive here.',
              source: 'Crown Safe (test)',
              severity: 'info',
            },
          },
        },
      ].toSorted((a, b) => a.path.localeCompare(b.path)),
    );
    expect(setUp.lines).toEqual([]);
    expect(setUp.audited).toEqual([
      {
        action: 'alert.test',
        object: { type: 'alert', id: 'test' },
        after: { slack: 'sent', pagerduty: 'sent' },
      },
    ]);
  });

  it('has nowhere to go without a channel', async () => {
    await using setUp = await openAlerts({});

    const result = setUp.alerts.test(signal);

    await expect(result).rejects.toMatchObject({ code: 'alerts_not_configured', status: 409 });
  });

  it('arrives at one channel while the other one refuses it', async () => {
    await using setUp = await openAlerts({ slack: say(404, 'no_service'), pagerDuty: say(202) });

    const { channels } = await setUp.alerts.test(signal);

    expect(channels).toEqual([
      {
        channel: 'slack',
        status: 'failed',
        http_status: 404,
        error: { code: 'refused', message: expect.stringContaining('refused') },
      },
      { channel: 'pagerduty', status: 'sent', http_status: 202 },
    ]);
    expect(setUp.lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warning', message: 'an alert was refused', channel: 'slack', http_status: 404 },
    ]);
  });

  it('is refused by a redirect, too', async () => {
    await using setUp = await openAlerts({ slack: say(302) });

    const { channels } = await setUp.alerts.test(signal);

    expect(channels).toMatchObject([{ status: 'failed', http_status: 302, error: { code: 'refused' } }]);
  });

  it('is repeated while a channel is not well, with the same key, and then given up', async () => {
    await using setUp = await openAlerts({ pagerDuty: say(500) });

    const { channels } = await setUp.alerts.test(signal);

    expect(channels).toEqual([
      {
        channel: 'pagerduty',
        status: 'failed',
        http_status: 500,
        error: {
          code: 'unavailable',
          message: 'The receiver of the notification is not available at the moment',
        },
      },
    ]);
    expect(setUp.posts).toHaveLength(4);
    expect(new Set(setUp.posts.map(({ body }) => body['dedup_key'])).size).toBe(1);
  });

  it('does not reach a channel that breaks off', async () => {
    await using setUp = await openAlerts({ slack: (request) => request.socket.destroy() });

    const { channels } = await setUp.alerts.test(signal);

    expect(channels).toEqual([
      { channel: 'slack', status: 'failed', error: { code: 'unavailable', message: expect.any(String) } },
    ]);
    expect(setUp.posts).toHaveLength(4);
  });

  it('is not sent to a channel that may not be called, and nobody outside is told why', async () => {
    await using setUp = await openAlerts({ slack: say(200) }, { allowedHosts: ['hooks.example.com'] });

    const { channels } = await setUp.alerts.test(signal);

    expect(channels).toEqual([
      {
        channel: 'slack',
        status: 'failed',
        error: { code: 'internal', message: 'The message could not be sent from here; the log says why' },
      },
    ]);
    expect(setUp.posts).toEqual([]);
    expect(setUp.lines.map((line) => JSON.parse(line))).toMatchObject([
      { message: 'an alert could not be sent', error: { code: 'destination_refused' } },
    ]);
  });

  it('ends with the request that asked for it', async () => {
    await using setUp = await openAlerts({ slack: () => {} });
    using deadline = startDeadline(systemClock, 100);

    const result = setUp.alerts.test(deadline.signal);

    await expect(result).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });

  it.each([say(404), say(503), say(501), (request) => request.socket.destroy()] as const satisfies Answer[])(
    'tells neither the address of Slack nor the key of PagerDuty, whatever happens (%#)',
    async (answer) => {
      await using setUp = await openAlerts({ slack: answer, pagerDuty: answer });

      const outcome = await setUp.alerts.test(signal);

      const told = JSON.stringify([outcome, setUp.lines]);
      expect(setUp.lines.length).toBeGreaterThan(1);
      expect(told).not.toContain('geheim');
    },
  );
});

describe('an alert', () => {
  const alert = { summary: 'The backup has failed', severity: 'error', key: 'backup' } as const;

  it('goes to every channel', async () => {
    await using setUp = await openAlerts({ slack: say(200), pagerDuty: say(202) });

    await setUp.alerts.send(alert);

    expect(setUp.posts.map(({ path }) => path).toSorted()).toEqual([slackPath, '/v2/enqueue']);
    expect(setUp.lines).toEqual([]);
  });

  it('goes nowhere without a channel, and nobody minds', async () => {
    await using setUp = await openAlerts({});

    await expect(setUp.alerts.send(alert)).resolves.toBeUndefined();
  });

  it('that cannot be sent is in the log, and disturbs nobody', async () => {
    await using setUp = await openAlerts({
      slack: (request) => request.socket.destroy(),
      pagerDuty: say(202),
    });

    await expect(setUp.alerts.send(alert)).resolves.toBeUndefined();

    expect(setUp.lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warning', message: 'an alert could not be sent', channel: 'slack' },
    ]);
    expect(setUp.posts.filter(({ path }) => path !== slackPath)).toHaveLength(1);
  });

  it('is given up after ten seconds, well before the half minute that is left after a deadline', async () => {
    const clock = fakeClock();
    await using setUp = await openAlerts({ slack: () => {} }, { clock });
    const sent = setUp.alerts.send(alert);
    await expect.poll(() => setUp.posts.length, { timeout: 5_000 }).toBe(1);

    await clock.advance(10_000);

    await expect(sent).resolves.toBeUndefined();
    expect(setUp.lines.join()).toContain('deadline_exceeded');
    expect(clock.timers).toBe(0);
  });
});

describe('the message of a channel', () => {
  const alert = {
    summary: `<!channel> a & b > ${'x'.repeat(2000)}`,
    severity: 'error',
    key: 'k'.repeat(300),
  } as const;
  const here = { name: 'here', baseUrl: undefined };
  const failure = { summary: 'The backup has failed', severity: 'error', key: 'backup' } as const;
  const withPath = { ...failure, path: '/api/v1/backups/a.sql.gz' };
  const [slack, pagerDuty] = alertChannels({ slackWebhookUrl: 'https://hooks.example.com/a', pagerDutyKey });

  it('calls nobody in Slack by what it quotes', () => {
    expect(slack?.message(alert, here)).toEqual({
      text: `[error] here: &lt;!channel&gt; a &amp; b &gt; ${'x'.repeat(2000)}`,
    });
  });

  it('is for PagerDuty as long as it may be, and goes to its service', () => {
    const message = pagerDuty?.message(alert, here);

    expect(pagerDuty?.url).toBe('https://events.pagerduty.com/v2/enqueue');
    expect(message).toMatchObject({
      dedup_key: 'k'.repeat(255),
      payload: { summary: alert.summary.slice(0, 1024), source: 'here', severity: 'error' },
    });
  });

  it('leads to what it is about, where the address of the API is known', () => {
    const source = { name: 'here', baseUrl: 'https://api.example.com' };
    const link = 'https://api.example.com/api/v1/backups/a.sql.gz';

    expect(slack?.message(withPath, source)).toEqual({
      text: `[error] here: The backup has failed (<${link}|more>)`,
    });
    expect(pagerDuty?.message(withPath, source)).toMatchObject({
      client: 'here',
      client_url: 'https://api.example.com',
      links: [{ href: link, text: 'More in the API' }],
    });
  });

  it.each([
    ['an alert about nothing of the API', failure, { name: 'here', baseUrl: 'https://api.example.com' }],
    ['an app that does not know its address', withPath, here],
  ])('leads nowhere for %s', (_, alert, source) => {
    expect(slack?.message(alert, source)).toEqual({ text: '[error] here: The backup has failed' });
    expect(pagerDuty?.message(alert, source)).not.toHaveProperty('links');
  });
});
