import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/lib/config/index.ts';

const usable = {
  SECRET_KEY: 'a'.repeat(32),
  DATABASE_URL: 'postgresql://app:secret@127.0.0.1:5432/crownsafe',
  AzureWebJobsStorage: 'UseDevelopmentStorage=true',
};
const load = (settings: Readonly<Record<string, string>>) => loadConfig({ ...usable, ...settings });
const key = 'InstrumentationKey=00000000-0000-4000-8000-00000000000a';

describe('the settings of telemetry', () => {
  it('send nothing anywhere unless they are given', () => {
    expect(load({})).toMatchObject({ OTEL_TRACES_SAMPLER_ARG: 1 });
    expect(load({}).APPLICATIONINSIGHTS_CONNECTION_STRING).toBeUndefined();
    expect(load({}).OTEL_EXPORTER_OTLP_ENDPOINT).toBeUndefined();
  });

  it('are read', () => {
    const config = load({
      APPLICATIONINSIGHTS_CONNECTION_STRING: `${key};IngestionEndpoint=https://a.example/`,
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=1;Authorization=AAD',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/base/',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b%3D, authorization = Basic%20Zg==,',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    });

    expect(config).toMatchObject({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/base',
      OTEL_EXPORTER_OTLP_HEADERS: { 'x-key': 'a b=', authorization: 'Basic Zg==' },
      OTEL_TRACES_SAMPLER_ARG: 0.25,
    });
  });

  it.each(['http://localhost:4318', 'http://127.0.0.1', 'http://[::1]:4318/', 'https://a.example'])(
    'send headers to %s',
    (OTEL_EXPORTER_OTLP_ENDPOINT) => {
      const config = load({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: 'a=b' });

      expect(config.OTEL_EXPORTER_OTLP_HEADERS).toEqual({ a: 'b' });
    },
  );

  it.each([
    ['APPLICATIONINSIGHTS_CONNECTION_STRING', 'IngestionEndpoint=https://a.example/', 'InstrumentationKey'],
    ['APPLICATIONINSIGHTS_CONNECTION_STRING', 'InstrumentationKey=secret', 'InstrumentationKey'],
    ['APPLICATIONINSIGHTS_AUTHENTICATION_STRING', 'Authorization=ikey', 'Authorization=AAD'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318', 'must be an http:// or https:// URL'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'https://user:secret@a.example', 'without credentials'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'secret', 'name=value'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=secret%zz', 'name=value'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=sec\nret', 'name=value'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.1', 'from 0 to 1'],
    ['OTEL_TRACES_SAMPLER_ARG', '-0.1', 'from 0 to 1'],
    ['OTEL_TRACES_SAMPLER_ARG', 'all', 'from 0 to 1'],
  ])('are refused: %s=%j', (name, value, reason) => {
    const loading = () => load({ [name]: value });

    expect(loading).toThrow(name);
    expect(loading).toThrow(reason);
    expect(loading).not.toThrow(/secret/);
  });

  it.each(['http://collector.example', 'http://localhost.example'])(
    'send no headers in the clear to %s',
    (url) => {
      const loading = () => load({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_HEADERS: 'a=b' });

      expect(loading).toThrow('OTEL_EXPORTER_OTLP_HEADERS: is sent over https:// only');
    },
  );
});
