import { expect, inject, it } from 'vitest';
import { runTour } from '../../local/tour/run-tour.ts';

it('walks the whole way from a photo to a restored backup', async () => {
  const lines: string[] = [];

  await runTour({
    baseUrl: inject('baseUrl'),
    apiKey: inject('adminKey'),
    databaseUrl: inject('databaseUrl'),
    log: (line) => lines.push(line),
  });

  expect(lines).toHaveLength(11);
  expect(lines.every((line) => line.startsWith('ok  '))).toBe(true);
});
