/**
 * What a credential says, for people: Open Badges 2 and 3, CLR, and any other Verifiable Credential. All of it is
 * hostile input: whatever is not as expected is left out, and everything stays text.
 */

type Json = { readonly [member: string]: unknown };

/** A name, and where more is said. */
export interface Named {
  name: string;
  about?: string;
  url?: string;
}

/** A hashed address that may be compared with one that is known. */
export interface Hashed {
  hash: string;
  salt: string;
}

export interface Told {
  title: string;
  kinds: string[];
  issuer: { name?: string; id?: string; url?: string };
  recipient: { name?: string; id?: string; hashed?: Hashed };
  description?: string;
  criteria: { text?: string; url?: string };
  /** A `data:` URL, or one that is not loaded. */
  picture?: string;
  pictureText?: string;
  skills: Named[];
  tags: string[];
  evidence: Named[];
  results: Named[];
  credits?: string;
  field?: string;
  level?: string;
  code?: string;
  id?: string;
  /** As it is written: RFC 3339. */
  from?: string;
  until?: string;
}

/** Types that say nothing about this credential. */
const GENERAL = ['VerifiableCredential', 'VerifiablePresentation', 'Assertion'];
const MOST = 100;

export function told(credential: Json): Told {
  const subject = object(first(credential['credentialSubject'])) ?? {};
  const achievement = object(first(subject['achievement'])) ?? object(first(credential['badge'])) ?? object(first(subject['hasCredential'])) ?? {};
  const picture = object(first(achievement['image'])) ?? object(first(credential['image']));
  return defined({
    title: text(achievement['name']) ?? text(credential['name']) ?? text(subject['name']) ?? '',
    kinds: [...kind(achievement), ...texts(credential['type']).filter((type) => !GENERAL.includes(type))],
    issuer: issuer(credential, achievement),
    recipient: recipient(credential, subject),
    description: text(achievement['description']) ?? text(credential['description']),
    criteria: criteria(first(achievement['criteria'])),
    picture: text(picture?.['id']) ?? text(first(achievement['image'])) ?? text(first(credential['image'])),
    pictureText: text(picture?.['caption']) ?? text(picture?.['author']),
    skills: list(achievement['alignment']).map(alignment).filter(present),
    tags: texts(achievement['tag'] ?? achievement['tags']),
    evidence: list(credential['evidence']).map(evidence).filter(present),
    results: results(subject, achievement),
    credits: text(subject['creditsEarned']) ?? text(achievement['creditsAvailable']),
    field: text(achievement['fieldOfStudy']),
    level: text(achievement['level']) ?? text(achievement['educationalLevel']),
    code: text(achievement['humanCode']),
    id: text(credential['id']),
    from: text(credential['validFrom']) ?? text(credential['issuanceDate']) ?? text(credential['issuedOn']),
    until: text(credential['validUntil']) ?? text(credential['expirationDate']) ?? text(credential['expires']),
  });
}

/** A link that may be followed, or none. */
export function web(url: string | undefined): URL | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  return /^https?:$/.test(parsed.protocol) ? parsed : undefined;
}

/** Whether a picture is carried by the credential itself, in a format that browsers show without running it. */
export function carried(url: string): boolean {
  return /^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/i.test(url);
}

/** Whether an address is the one that was hashed; `null` where the algorithm is not known. */
export async function matches({ hash, salt }: Hashed, address: string): Promise<boolean | null> {
  const [algorithm, wanted] = hash.split('$');
  if (algorithm !== 'sha256' || wanted === undefined) return null;
  for (const tried of new Set([address.trim(), address.trim().toLowerCase()])) {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(tried + salt));
    const found = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (found === wanted.toLowerCase()) return true;
  }
  return false;
}

function kind(achievement: Json): string[] {
  return texts(achievement['achievementType']);
}

function issuer(credential: Json, achievement: Json): Told['issuer'] {
  const value = first(credential['issuer']) ?? first(achievement['issuer']);
  const profile = object(value);
  return defined({ name: text(profile?.['name']), id: text(profile?.['id']) ?? text(value), url: text(profile?.['url']) });
}

function recipient(credential: Json, subject: Json): Told['recipient'] {
  const identities = list(subject['identifier']).map(object).filter(present);
  const older = object(first(credential['recipient']));
  const plain = identities.find((identity) => identity['hashed'] !== true);
  const name = text(subject['name']) ?? [text(subject['givenName']), text(subject['familyName'])].filter(present).join(' ');
  return defined({
    name: name || text(plain?.['identityHash']) || (older?.['hashed'] === true ? undefined : text(older?.['identity'])),
    id: text(subject['id']),
    hashed: identities.map((identity) => hashed(identity, 'identityHash')).find(present) ?? (older && hashed(older, 'identity')),
  });
}

function hashed(identity: Json, member: string): Hashed | undefined {
  const hash = text(identity[member]);
  return identity['hashed'] === true && hash !== undefined ? { hash, salt: text(identity['salt']) ?? '' } : undefined;
}

function criteria(value: unknown): Told['criteria'] {
  const said = object(value);
  return defined({ text: text(said?.['narrative']), url: text(said?.['id']) ?? text(value) });
}

function alignment(value: unknown): Named | undefined {
  const skill = object(value);
  const name = text(skill?.['targetName']);
  const about = [text(skill?.['targetFramework']), text(skill?.['targetCode'])].filter(present).join(' · ');
  return name === undefined ? undefined : defined({ name, about: about || undefined, url: text(skill?.['targetUrl']) });
}

function evidence(value: unknown): Named | undefined {
  const shown = object(value);
  const url = text(shown?.['id']) ?? text(value);
  const name = text(shown?.['name']) ?? text(shown?.['genre']) ?? url;
  const about = text(shown?.['narrative']) ?? text(shown?.['description']);
  return name === undefined ? undefined : defined({ name, about, url });
}

/** Results name what they are results of by its identifier. */
function results(subject: Json, achievement: Json): Named[] {
  const described = list(achievement['resultDescription']).map(object).filter(present);
  return list(subject['result']).map(object).filter(present).flatMap((result) => {
    const of = described.find((one) => one['id'] === result['resultDescription']);
    const value = text(result['value']) ?? text(result['status']);
    return value === undefined ? [] : [{ name: text(of?.['name']) ?? '', about: value }];
  });
}

function list(value: unknown): unknown[] {
  const values = Array.isArray(value) ? (value as unknown[]) : value === undefined || value === null ? [] : [value];
  return values.slice(0, MOST);
}

function first(value: unknown): unknown {
  return list(value)[0];
}

function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** A text, a number, or a text with its language. */
function text(value: unknown): string | undefined {
  const plain = object(value)?.['@value'] ?? value;
  if (typeof plain === 'number') return String(plain);
  return typeof plain === 'string' && plain.trim() !== '' ? plain : undefined;
}

function texts(value: unknown): string[] {
  return list(value).map(text).filter(present);
}

function present<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** Without the members that are `undefined`. */
function defined<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
