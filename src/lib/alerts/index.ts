export { createAlerts, testAlertShape } from './alerts.ts';
export { alertChannels } from './channels.ts';
