export { connectionsPerHost } from './agent.ts';
export { OutboundError } from './errors.ts';
export { createOutbound, type Outbound } from './outbound.ts';
