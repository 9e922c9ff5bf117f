import * as z from 'zod';
import { notes } from './notes.ts';
import { serviceUri, storageConnectionString } from './shapes.ts';

const accountName = z.string().regex(/^[a-z0-9]{3,24}$/, 'must be 3–24 lower-case letters or digits');

/** Containers that the app uses for other things. */
const reservedContainers = [
  'crownsafe-trash',
  'crownsafe-backups',
  'crownsafe-reports',
  'crownsafe-locks',
  'crownsafe-audit',
];

/** The storage accounts, and the identity that reaches them. */
export const storageSettings = {
  AzureWebJobsStorage: storageConnectionString.optional().register(notes, {
    group: 'storage',
    description:
      "The platform's own storage connection; also ours when no other storage setting is given; the queue of jobs is always there. In Azure an identity takes its place.",
    local: 'UseDevelopmentStorage=true',
    secret: true,
  }),
  AzureWebJobsStorage__accountName: accountName.optional().register(notes, {
    group: 'storage',
    description: "The platform's own storage by identity: the account's name, in the public cloud.",
  }),
  AzureWebJobsStorage__blobServiceUri: serviceUri.optional().register(notes, {
    group: 'storage',
    description: "The platform's own storage by identity, in any cloud: all three endpoints.",
  }),
  AzureWebJobsStorage__queueServiceUri: serviceUri.optional().register(notes, {
    group: 'storage',
    description: 'Together with `AzureWebJobsStorage__blobServiceUri`.',
  }),
  AzureWebJobsStorage__tableServiceUri: serviceUri.optional().register(notes, {
    group: 'storage',
    description: 'Together with `AzureWebJobsStorage__blobServiceUri`.',
  }),
  AZURE_STORAGE_CONNECTION_STRING: storageConnectionString.optional().register(notes, {
    group: 'storage',
    description: 'Storage by connection string.',
    secret: true,
  }),
  AZURE_STORAGE_ACCOUNT_NAME: accountName.optional().register(notes, {
    group: 'storage',
    description:
      'Storage by account name in the public cloud: with `AZURE_STORAGE_ACCOUNT_KEY` by key, without it by identity.',
  }),
  AZURE_STORAGE_ACCOUNT_KEY: z.base64().min(1).optional().register(notes, {
    group: 'storage',
    description: 'Key of the account named by `AZURE_STORAGE_ACCOUNT_NAME`.',
    secret: true,
  }),
  AZURE_STORAGE_CONTAINER: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){2,62}$/, 'must be a container name')
    .refine((name) => !reservedContainers.includes(name), 'is used for something else')
    .default('crownsafe-images')
    .register(notes, {
      group: 'storage',
      description: 'Container of the uploaded files.',
    }),
  AZURE_CLIENT_ID: z.guid('must be a GUID').optional().register(notes, {
    group: 'storage',
    description:
      'Client id of the user-assigned identity that reaches storage and database. Left out: whichever identity `DefaultAzureCredential` finds.',
  }),
};
