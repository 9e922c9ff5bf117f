export { createFiles } from './files.ts';
export { fileId, filePageShape, fileShape, listQuery } from './shapes.ts';
