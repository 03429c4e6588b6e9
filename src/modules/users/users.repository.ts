import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, IsNull, Raw, Repository } from 'typeorm';
import { User } from './entities/user.entity.js';

@Injectable()
export class UsersRepository {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  async insert(manager: EntityManager, user: User): Promise<void> {
    await manager.getRepository(User).insert(user);
  }

  /** Index: ux_users_email. */
  async findByEmail(email: string): Promise<User | null> {
    return await this.users.findOneBy({
      email: Raw((column) => `lower(${column}) = lower(:email)`, { email }),
    });
  }

  async findById(id: string): Promise<User | null> {
    return await this.users.findOneBy({ id });
  }

  /** With their row locked FOR NO KEY UPDATE. */
  async lock(manager: EntityManager, id: string): Promise<User | null> {
    return await manager.getRepository(User).findOne({ where: { id }, lock: { mode: 'for_no_key_update' } });
  }

  /** With their row locked FOR NO KEY UPDATE. Index: ux_users_email. */
  async lockByEmail(manager: EntityManager, email: string): Promise<User | null> {
    return await manager.getRepository(User).findOne({
      where: { email: Raw((column) => `lower(${column}) = lower(:email)`, { email }) },
      lock: { mode: 'for_no_key_update' },
    });
  }

  async findByIds(ids: string[]): Promise<User[]> {
    return await this.users.findBy({ id: In(ids) });
  }

  /** Whose address it is, unless this was noted for them after `before`. Index: ux_users_email. */
  async noteAddressTried(
    manager: EntityManager,
    email: string,
    now: Date,
    before: Date,
  ): Promise<string | null> {
    const [rows] = await manager.query<[{ id: string }[], number]>(
      `UPDATE users SET address_tried_at = $2
       WHERE lower(email) = lower($1) AND (address_tried_at IS NULL OR address_tried_at <= $3) RETURNING id`,
      [email, now, before],
    );
    return rows[0]?.id ?? null;
  }

  async acceptTerms(manager: EntityManager, id: string, version: string, at: Date): Promise<void> {
    await manager.getRepository(User).update({ id }, { termsVersion: version, termsAcceptedAt: at });
  }

  async markEmailVerified(manager: EntityManager, id: string, at: Date): Promise<boolean> {
    const { affected } = await manager
      .getRepository(User)
      .update({ id, emailVerifiedAt: IsNull() }, { emailVerifiedAt: at });
    return affected === 1;
  }

  async confirmAge(manager: EntityManager, id: string, birthDate: string, at: Date): Promise<void> {
    await manager.getRepository(User).update({ id }, { birthDate, ageVerifiedAt: at });
  }

  async doubtAge(manager: EntityManager, id: string): Promise<void> {
    await manager.getRepository(User).update({ id }, { ageVerifiedAt: null });
  }
}
