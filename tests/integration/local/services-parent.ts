import process from 'node:process';
import { startServices } from '../../../local/services/start-services.ts';

/** Starts services, tells their database's address, and then waits to be killed. */
const services = await startServices({ folder: process.argv[2] ?? '', temporary: true });
process.send?.(services.databaseUrl);
