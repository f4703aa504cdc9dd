/** Which records of a chain prove what a sound name server says (RFC 4035 §3.1.3, RFC 5155 §7.2). Pure. */
import { childOf, countLabels, lastLabels, type Name, parentOf } from '../name.ts'
import type { Denial } from './denial.ts'
import type { RecordSet } from './signer.ts'

type Proof = readonly RecordSet[]

/** No such name, and no wildcard for it; `encloser` is its closest ancestor that exists. */
export function proveNoName(denial: Denial, name: Name, encloser: Name): Proof {
  const wildcard = denial.cover(childOf(encloser, '*'))
  if (denial.kind === 'nsec') return sets(denial.cover(name), wildcard)
  return sets(denial.match(encloser), denial.cover(nextCloser(name, encloser)), wildcard)
}

/** The name exists, and has nothing of the type. */
export function proveNoData(denial: Denial, name: Name): Proof {
  const own = denial.match(name)
  if (own !== undefined) return sets(own)
  // An empty non-terminal has no NSEC: the one before it leads over it. With opt-out it need not have an NSEC3.
  return denial.kind === 'nsec' ? sets(denial.cover(name)) : proveOptedOut(denial, name)
}

/** The wildcard below `encloser` stands for the name, and has nothing of the type. */
export function proveNoDataAtWildcard(denial: Denial, name: Name, encloser: Name): Proof {
  const wildcard = denial.match(childOf(encloser, '*'))
  if (denial.kind === 'nsec') return sets(denial.cover(name), wildcard)
  return sets(denial.match(encloser), denial.cover(nextCloser(name, encloser)), wildcard)
}

/** The name itself does not exist, so that the wildcard below `encloser` may stand for it. */
export function proveExpansion(denial: Denial, name: Name, encloser: Name): Proof {
  return sets(denial.cover(denial.kind === 'nsec' ? name : nextCloser(name, encloser)))
}

/** A name that an opt-out chain leaves out: its closest ancestor that the chain has, and the span over what follows. */
function proveOptedOut(denial: Denial, name: Name): Proof {
  let encloser = parentOf(name)
  while (denial.match(encloser) === undefined && encloser !== '.') encloser = parentOf(encloser)
  return sets(denial.match(encloser), denial.cover(nextCloser(name, encloser)))
}

/** The name one label longer than `encloser` on the way to `name` (RFC 5155 §1.3). */
export function nextCloser(name: Name, encloser: Name): Name {
  return lastLabels(name, countLabels(encloser) + 1)
}

/** Each once, however often it serves. */
function sets(...proof: readonly (RecordSet | undefined)[]): Proof {
  return [...new Set(proof.filter((set) => set !== undefined))]
}
