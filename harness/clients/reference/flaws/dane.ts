/** Flaws around DNSSEC and DANE: what the client asks for, what it believes, and what it does when it gets no answer. */

import { nameMatches } from '../certificate.ts'
import { CHAIN_CHECKS } from '../chain.ts'
import { isUsable, matchesAnchor, matchesLeaf } from '../dane.ts'
import type { FlawTable } from '../flaws.ts'

export const DANE_FLAWS: FlawTable = {
  'ignore-failed-tlsa': {
    meaning: 'goes on as if there were no TLSA records when they cannot be looked up',
    decide: { afterFailedTlsa: 'none' },
  },
  'tlsa-of-insecure-address': {
    meaning: 'looks TLSA records up for addresses that are not secure too',
    decide: { asksForTlsa: () => true },
  },
  'ignore-insecure-mx': {
    meaning: 'does not mind MX records that are not secure where DANE is mandatory',
    decide: { needsSecureMx: () => false },
  },
  'pkix-without-tlsa': {
    meaning: 'takes a certificate of a trusted CA where DANE is mandatory and there are no TLSA records',
    decide: { withoutTlsa: 'verify' },
  },
  'no-tlsa-aliases': {
    meaning: 'finds no TLSA records behind an alias',
    decide: { followsTlsaAliases: false },
  },
  'believe-insecure-tlsa': {
    meaning: 'goes by TLSA records that are not secure',
    decide: { asksForTlsa: () => true, believesTlsa: () => true },
  },
  'ignore-tlsa': {
    meaning: 'never looks TLSA records up',
    decide: { asksForTlsa: () => false },
  },
  'ignore-tlsa-mismatch': {
    meaning: 'takes any certificate although usable TLSA records match none of it',
    decide: { matchesTlsa: () => true },
  },
  'clear-with-unusable-tlsa': {
    meaning: 'goes in clear where none of the secure TLSA records can be used',
    decide: { withUnusableTlsa: 'none' },
  },
  'unusable-tlsa-never-matches': {
    meaning: 'takes TLSA records that it cannot use for ones that do not match',
    decide: {
      usesTlsa: () => true,
      matchesTlsa: (record, ...given) => isUsable(record) && matchesTlsa(record, ...given),
    },
  },
  'no-usage-2': {
    meaning: 'takes TLSA records of usage 2 for ones that do not match',
    decide: { matchesTlsa: (record, presented) => record.usage === 3 && matchesLeaf(record, presented) },
  },
  'no-usage-3': {
    meaning: 'takes TLSA records of usage 3 for ones that do not match',
    decide: {
      matchesTlsa: (record, presented, names) => record.usage === 2 && matchesAnchor(record, presented, names),
    },
  },
  'no-full-tlsa': {
    meaning: 'takes TLSA records with a whole certificate for ones that do not match',
    decide: { matchesTlsa: (record, ...given) => record.matchingType !== 0 && matchesTlsa(record, ...given) },
  },
  'no-sha512-tlsa': {
    meaning: 'takes TLSA records with a SHA-512 digest for ones that do not match',
    decide: { matchesTlsa: (record, ...given) => record.matchingType !== 2 && matchesTlsa(record, ...given) },
  },
  'no-certificate-tlsa': {
    meaning: 'takes TLSA records of selector 0 for ones that do not match',
    decide: { matchesTlsa: (record, ...given) => record.selector !== 0 && matchesTlsa(record, ...given) },
  },
  'no-anchor-keys': {
    meaning: 'takes TLSA records of usage 2 for the key alone for ones that do not match',
    decide: {
      matchesTlsa: (record, ...given) =>
        !(record.usage === 2 && record.selector === 1) && matchesTlsa(record, ...given),
    },
  },
  'first-tlsa-only': {
    meaning: 'goes by the first TLSA record alone',
    decide: { tlsaToTry: (records) => records.slice(0, 1) },
  },
  'dates-with-usage-3': {
    meaning: 'looks at the dates of certificates under usage 3',
    decide: {
      matchesTlsa: (record, presented, names) =>
        matchesTlsa(record, presented, names) &&
        !['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'].includes(presented.refusal ?? ''),
    },
  },
  'names-with-usage-3': {
    meaning: 'looks at the names of certificates under usage 3',
    decide: {
      matchesTlsa: (record, presented, names) => {
        const [leaf] = presented.chain
        return (
          matchesTlsa(record, presented, names) && leaf !== undefined && names.some((name) => nameMatches(leaf, name))
        )
      },
    },
  },
  'any-name-with-usage-2': {
    meaning: 'does not look at the names of certificates under usage 2',
    decide: {
      matchesTlsa: (record, presented, names) =>
        matchesTlsa(record, presented, [...names, ...namesOf(presented.chain[0]?.subjectAltName)]),
    },
  },
  'any-date-with-usage-2': {
    meaning: 'does not look at the dates of certificates under usage 2',
    decide: {
      matchesTlsa: (record, presented, names) =>
        record.usage === 3
          ? matchesLeaf(record, presented)
          : matchesAnchor(
              record,
              presented,
              names,
              CHAIN_CHECKS.filter((check) => check !== 'validity'),
            ),
    },
  },
  'host-name-only-with-usage-2': {
    meaning: 'takes under usage 2 no certificate for the recipient domain',
    decide: { matchesTlsa: (record, presented, [base = '']) => matchesTlsa(record, presented, [base]) },
  },
  'exception-for-none': {
    meaning: 'uses DANE also for a domain for which it is switched off',
    decide: { isWithoutDane: () => false },
  },
  'exception-for-all': {
    meaning: 'uses DANE for no domain where it is switched off for one',
    decide: { isWithoutDane: () => true },
  },
  'bounce-on-failed-mx': {
    meaning: 'gives a message up when the MX records of its domain cannot be looked up',
    decide: { afterFailedMx: 'bounce' },
  },
  'address-on-failed-mx': {
    meaning: 'goes to the address of a domain whose MX records cannot be looked up',
    decide: { afterFailedMx: 'address' },
  },
  'queue-for-no-domain': {
    meaning: 'keeps messages for domains that do not exist, or take no mail',
    decide: { afterNoDomain: 'queue' },
  },
}

/** As the correct client does it. */
function matchesTlsa(
  ...[record, presented, names]: Parameters<NonNullable<FlawTable[string]['decide']['matchesTlsa']>>
) {
  return record.usage === 3 ? matchesLeaf(record, presented) : matchesAnchor(record, presented, names)
}

function namesOf(text = ''): string[] {
  return [...text.matchAll(/DNS:([^,]+)/g)].map(([, name = '']) => name)
}
