import { type Lazy, lazy } from '../core/index.ts';
import { noteAtSpan } from '../observability/index.ts';
import type { AzureIdentity } from '../security/index.ts';
import type { StorageAccount } from './connection.ts';

/** Clients of one account, each SDK loaded at its first use: together they cost a cold start 100 ms. */
export interface AccountClients {
  readonly blob: Lazy<Promise<BlobAccess>>;
  readonly table: (endpoint: string, name: string) => Promise<TableAccess>;
  readonly queue: (endpoint: string, name: string) => Promise<import('@azure/storage-queue').QueueClient>;
}

export interface BlobAccess {
  readonly sdk: typeof import('@azure/storage-blob');
  readonly service: import('@azure/storage-blob').BlobServiceClient;
  readonly accountName: string;
  /** Signs links; left out of an account that is reached by identity. */
  readonly sharedKey?: import('@azure/storage-blob').StorageSharedKeyCredential;
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

/** A token for the data of storage accounts, and nothing else. */
const storageScope = 'https://storage.azure.com/.default';

/**
 * @param identity - of the app, for an account without a key
 * @param correlationId - asked at every request, for `x-ms-client-request-id`
 */
export function createAccountClients(
  { name: accountName, key, endpoints }: StorageAccount,
  identity: AzureIdentity,
  correlationId: () => string | undefined,
): AccountClients {
  // An SDK would ask for whatever an answer 401 names: who runs the endpoint could have tokens for other services.
  const tokens: AzureIdentity = { getToken: () => identity.getToken(storageScope) };
  return {
    blob: lazy(async () => {
      const sdk = await import('@azure/storage-blob');
      const sharedKey = key === undefined ? undefined : new sdk.StorageSharedKeyCredential(accountName, key);
      const pipeline = sdk.newPipeline(sharedKey ?? tokens, storageRetries);
      pipeline.factories.push(labelRequests(correlationId));
      const service = new sdk.BlobServiceClient(endpoints.blob, pipeline);
      return { sdk, service, accountName, ...(sharedKey && { sharedKey }) };
    }),
    async queue(endpoint, name) {
      const { newPipeline, QueueServiceClient, StorageSharedKeyCredential } = await import(
        '@azure/storage-queue'
      );
      const credential = key === undefined ? tokens : new StorageSharedKeyCredential(accountName, key);
      const pipeline = newPipeline(credential, storageRetries);
      pipeline.factories.push(labelRequests(correlationId));
      return new QueueServiceClient(endpoint, pipeline).getQueueClient(name);
    },
    async table(endpoint, name) {
      const { AzureNamedKeyCredential, odata, TableClient } = await import('@azure/data-tables');
      const options = {
        ...tableRetries,
        allowInsecureConnection: endpoint.startsWith('http:'),
        additionalPolicies: [{ policy: labelTableRequests(correlationId), position: 'perCall' as const }],
      };
      const client =
        key === undefined
          ? new TableClient(endpoint, name, tokens, options)
          : new TableClient(endpoint, name, new AzureNamedKeyCredential(accountName, key), options);
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

interface Answered {
  readonly status: number;
  readonly headers: { get(name: string): string | undefined };
}

/** Notes at the span of the call what the service answered; the id is what its support asks for. */
async function noted<Response extends Answered>(sending: Promise<Response>): Promise<Response> {
  try {
    const response = await sending;
    note(response);
    return response;
  } catch (error) {
    // A refusal comes as an error that has the answer in it.
    const { response } = error as { readonly response?: Answered };
    if (response) note(response);
    throw error;
  }
}

function note({ status, headers }: Answered): void {
  noteAtSpan({
    'http.response.status_code': status,
    'azure.service.request.id': headers.get('x-ms-request-id'),
  });
}

/** In the form of policy that blob and queue clients take. */
function labelRequests(
  correlationId: () => string | undefined,
): import('@azure/storage-blob').RequestPolicyFactory {
  return {
    create: (next) => ({
      sendRequest(request) {
        label(request, correlationId);
        return noted(next.sendRequest(request));
      },
    }),
  };
}

/** In the form of policy that table clients take. */
function labelTableRequests(correlationId: () => string | undefined) {
  return {
    name: 'correlationId',
    sendRequest<Request extends LabelledRequest, Response extends Answered>(
      request: Request,
      next: (request: Request) => Promise<Response>,
    ): Promise<Response> {
      label(request, correlationId);
      return noted(next(request));
    },
  };
}
