export { createFiles, type Files } from './files.ts';
export { fileId, filePageShape, fileShape, listQuery } from './shapes.ts';
