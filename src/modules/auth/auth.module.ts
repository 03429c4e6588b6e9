import { Module } from '@nestjs/common';
import { SmsModule } from '../../platform/sms/sms.module.js';
import { ComplianceModule } from '../compliance/compliance.module.js';
import { DevicesModule } from '../users/devices/devices.module.js';
import { AccountPrivacyModule } from '../users/privacy/account-privacy.module.js';
import { UsersModule } from '../users/users.module.js';
import { SocketAccessService } from './sockets/socket-access.service.js';
import { AccessTokensService } from './access-tokens.service.js';
import { AccountsService } from './accounts.service.js';
import { AdminsService } from './admins.service.js';
import { AuthController } from './auth.controller.js';
import { AuthGuard } from './auth.guard.js';
import { CredentialsRepository } from './credentials.repository.js';
import { OAuthPersonalData } from './oauth/oauth-personal-data.repository.js';
import { KnownDevicesService } from './lockout/known-devices.service.js';
import { LockoutRepository } from './lockout/lockout.repository.js';
import { LockoutService } from './lockout/lockout.service.js';
import { ChallengesRepository } from './totp/challenges.repository.js';
import { ChallengesService } from './totp/challenges.service.js';
import { SecondFactorPolicy } from './totp/second-factor.policy.js';
import { SecondFactorsService } from './totp/second-factors.service.js';
import { TotpController } from './totp/totp.controller.js';
import { TotpRepository } from './totp/totp.repository.js';
import { TotpService } from './totp/totp.service.js';
import { OtpCodesService } from './otp/otp-codes.service.js';
import { OtpController } from './otp/otp.controller.js';
import { OtpDeliveryService } from './otp/otp-delivery.service.js';
import { OtpRepository } from './otp/otp.repository.js';
import { OtpSendLimitService } from './otp/otp-send-limit.service.js';
import { OtpService } from './otp/otp.service.js';
import { PhoneNumbersService } from './otp/phone-numbers.service.js';
import { PhonesPersonalData } from './otp/phones-personal-data.repository.js';
import { PhonesRepository } from './otp/phones.repository.js';
import { PhonesService } from './otp/phones.service.js';
import { EmailController } from './mail/email.controller.js';
import { EmailVerificationService } from './mail/email-verification.service.js';
import { MailLinksRepository } from './mail/mail-links.repository.js';
import { MailLinksService } from './mail/mail-links.service.js';
import { PasswordChangesService } from './password/password-changes.service.js';
import { PasswordController } from './password/password.controller.js';
import { PasswordAgeService } from './password/password-age.service.js';
import { PasswordPolicyService } from './password/password-policy.service.js';
import { ReclaimingRepository } from './password/reclaiming.repository.js';
import { ReclaimingService } from './password/reclaiming.service.js';
import { PasswordsService } from './passwords.service.js';
import { RegistrationLimitService } from './registration/registration-limit.service.js';
import { RegistrationService } from './registration/registration.service.js';
import { AccountClosingController } from './privacy/account-closing.controller.js';
import { AccountClosingService } from './privacy/account-closing.service.js';
import { AuthPersonalData } from './privacy/auth-personal-data.repository.js';
import { ExportsController } from './privacy/exports.controller.js';
import { OwnExportsService } from './privacy/own-exports.service.js';
import { SignInRepository } from './sign-in.repository.js';
import { SignInService } from './sign-in.service.js';
import { PermissionsGuard } from './permissions.guard.js';
import { SessionCache } from './session-cache.js';
import { SessionsRepository } from './sessions.repository.js';
import { JwksController } from './sessions/jwks.controller.js';
import { AccountChangesService } from './account-changes.service.js';
import { PlaySessionsRepository } from './sessions/play-sessions.repository.js';
import { PlaySessionsService } from './sessions/play-sessions.service.js';
import { ProofsRepository } from './sessions/proofs.repository.js';
import { ReauthenticationService } from './sessions/reauthentication.service.js';
import { RecentProofService } from './sessions/recent-proof.service.js';
import { RefreshService } from './sessions/refresh.service.js';
import { RefreshTokensRepository } from './sessions/refresh-tokens.repository.js';
import { SessionActivity } from './sessions/session-activity.js';
import { SessionListService } from './sessions/session-list.service.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { SigningKeys } from './sessions/signing-keys.js';
import { SessionsService } from './sessions.service.js';
import { ProtectionPersonalData } from './totp/protection-personal-data.repository.js';

@Module({
  imports: [AccountPrivacyModule, ComplianceModule, DevicesModule, SmsModule, UsersModule],
  controllers: [
    AuthController,
    SessionsController,
    JwksController,
    EmailController,
    PasswordController,
    AccountClosingController,
    ExportsController,
    OtpController,
    TotpController,
  ],
  providers: [
    AccountsService,
    PasswordsService,
    RegistrationLimitService,
    RegistrationService,
    PasswordChangesService,
    PasswordAgeService,
    PasswordPolicyService,
    ReclaimingRepository,
    ReclaimingService,
    EmailVerificationService,
    MailLinksRepository,
    MailLinksService,
    SignInRepository,
    SignInService,
    LockoutService,
    LockoutRepository,
    KnownDevicesService,
    ChallengesRepository,
    ChallengesService,
    SecondFactorPolicy,
    SecondFactorsService,
    TotpRepository,
    TotpService,
    CredentialsRepository,
    AdminsService,
    SessionsService,
    SessionsRepository,
    SessionCache,
    SessionActivity,
    PlaySessionsRepository,
    PlaySessionsService,
    SessionListService,
    RefreshService,
    RefreshTokensRepository,
    ReauthenticationService,
    AccountChangesService,
    ProofsRepository,
    RecentProofService,
    SigningKeys,
    OtpCodesService,
    OtpDeliveryService,
    OtpRepository,
    OtpSendLimitService,
    OtpService,
    PhoneNumbersService,
    PhonesRepository,
    PhonesService,
    AccountClosingService,
    OwnExportsService,
    AuthPersonalData,
    PhonesPersonalData,
    OAuthPersonalData,
    ProtectionPersonalData,
    AccessTokensService,
    AuthGuard,
    PermissionsGuard,
    SocketAccessService,
  ],
  exports: [
    AccountChangesService,
    AccountsService,
    AdminsService,
    MailLinksService,
    OtpDeliveryService,
    PasswordAgeService,
    RecentProofService,
    SecondFactorsService,
    SessionsService,
    SignInService,
    AccessTokensService,
    AuthGuard,
    PermissionsGuard,
  ],
})
export class AuthModule {}
