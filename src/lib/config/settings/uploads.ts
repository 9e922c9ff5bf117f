import * as z from 'zod';
import { notes } from './notes.ts';
import { list } from './shapes.ts';

const mebibyte = 2 ** 20;

/** The types of file that the gate can tell by their content. */
const knownExtensions = ['jpg', 'jpeg', 'png', 'webp', 'gif', 'heic', 'avif', 'tiff', 'bmp', 'pdf'] as const;

/** What is taken in. */
export const uploadsSettings = {
  UPLOAD_MAX_BYTES: z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number of bytes')
    .transform(Number)
    .refine((bytes) => bytes >= 1 && bytes <= 32 * mebibyte, 'must be from 1 to 33554432')
    .default(10 * mebibyte)
    .register(notes, {
      group: 'uploads',
      description: 'Largest upload through the API, in bytes; at most 32 MiB.',
    }),
  UPLOAD_EXTENSIONS: list
    .pipe(z.array(z.enum(knownExtensions)).min(1))
    .default([...knownExtensions])
    .readonly()
    .register(notes, {
      group: 'uploads',
      description: 'File types that are accepted, by extension, comma separated; a subset of the default.',
    }),
};
