import { ComplianceGuard } from '../../src/modules/compliance/compliance.guard.js';

/** The API with a compliance guard that lets everything pass and looks at nothing: what the guard costs is told beside it. */
ComplianceGuard.prototype.canActivate = () => true;
await import('../../src/main.js');
