export { connectionsPerHost } from './agent.ts';
export { createOutbound, type Outbound } from './outbound.ts';
