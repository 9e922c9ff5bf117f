import { type Lazy, lazy } from '../core/index.ts';
import type { StorageAccount } from './connection.ts';
import { createKeySigner, type SasSigner } from './sas.ts';

/** Clients of one account, each SDK loaded at its first use: together they cost a cold start 100 ms. */
export interface AccountClients {
  readonly blob: Lazy<Promise<BlobAccess>>;
  readonly table: (name: string) => Promise<TableAccess>;
  readonly queue: (name: string) => Promise<import('@azure/storage-queue').QueueClient>;
}

export interface BlobAccess {
  readonly service: import('@azure/storage-blob').BlobServiceClient;
  readonly sign: SasSigner;
}

export interface TableAccess {
  readonly client: import('@azure/data-tables').TableClient;
  readonly odata: typeof import('@azure/data-tables').odata;
}

/**
 * Retries inside the SDKs are off: one policy decides, and it stands outside. The name of the option differs, and
 * the wrong one has no effect.
 */
const storageRetries = { retryOptions: { maxTries: 1 } };
const tableRetries = { retryOptions: { maxRetries: 0 } };

/** @param correlationId - asked at every request, for `x-ms-client-request-id` */
export function createAccountClients(
  account: StorageAccount,
  correlationId: () => string | undefined,
): AccountClients {
  const { accountName, accountKey, endpoints } = account;

  const blob = lazy(async () => {
    const sdk = await import('@azure/storage-blob');
    const credential = new sdk.StorageSharedKeyCredential(accountName, accountKey);
    const pipeline = sdk.newPipeline(credential, storageRetries);
    pipeline.factories.push(labelRequests(correlationId));
    return {
      service: new sdk.BlobServiceClient(endpoints.blob, pipeline),
      sign: createKeySigner(sdk, credential, endpoints.blob.startsWith('https:')),
    };
  });

  const queues = lazy(async () => {
    const sdk = await import('@azure/storage-queue');
    const credential = new sdk.StorageSharedKeyCredential(accountName, accountKey);
    const pipeline = sdk.newPipeline(credential, storageRetries);
    pipeline.factories.push(labelRequests(correlationId));
    return new sdk.QueueServiceClient(endpoints.queue, pipeline);
  });

  return {
    blob,
    queue: async (name) => (await queues()).getQueueClient(name),
    async table(name) {
      const { AzureNamedKeyCredential, odata, TableClient } = await import('@azure/data-tables');
      const credential = new AzureNamedKeyCredential(accountName, accountKey);
      const client = new TableClient(endpoints.table, name, credential, {
        ...tableRetries,
        allowInsecureConnection: endpoints.table.startsWith('http:'),
        additionalPolicies: [{ policy: labelTableRequests(correlationId), position: 'perCall' }],
      });
      return { client, odata };
    },
  };
}

interface LabelledRequest {
  readonly headers: { set(name: string, value: string): unknown };
}

function label(request: LabelledRequest, correlationId: () => string | undefined): void {
  const id = correlationId();
  if (id) request.headers.set('x-ms-client-request-id', id);
}

/** In the form of policy that blob and queue clients take. */
function labelRequests(
  correlationId: () => string | undefined,
): import('@azure/storage-blob').RequestPolicyFactory {
  return {
    create: (next) => ({
      sendRequest(request) {
        label(request, correlationId);
        return next.sendRequest(request);
      },
    }),
  };
}

/** In the form of policy that table clients take. */
function labelTableRequests(correlationId: () => string | undefined) {
  return {
    name: 'correlationId',
    sendRequest<Request extends LabelledRequest, Response>(
      request: Request,
      next: (request: Request) => Promise<Response>,
    ): Promise<Response> {
      label(request, correlationId);
      return next(request);
    },
  };
}
