/** What a resolver is to trust of an internet of ours: the key of its root, in the forms that resolvers read. Pure. */
import type { Internet } from './internet.ts'
import { trustAnchor } from './master-file.ts'
import { ROOT } from './name.ts'
import { TYPE } from './numbers.ts'
import type { ServedZone } from './served-zone.ts'

/** A DS record, as unbound (`trust-anchor-file`) and Knot Resolver read it. @throws where the root is not signed. */
export function anchorFile(internet: Internet): string {
  const anchor = trustAnchor(rootOf(internet))
  if (anchor === undefined) throw new Error('the root is not signed: there is nothing to trust')
  return `${anchor}\n`
}

/** The same as a statement of BIND's, for named and `delv -a FILE +root=.`. @throws where the root is not signed. */
export function bindAnchorFile(internet: Internet): string {
  const [, , , , tag, algorithm, digestType, digest] = anchorFile(internet).trim().split(' ')
  return `trust-anchors { . static-ds ${tag} ${algorithm} ${digestType} "${digest}"; };\n`
}

export function rootOf(internet: Internet): ServedZone {
  const root = internet.zoneFor({ name: ROOT, type: TYPE.SOA })
  if (root === undefined) throw new Error('an internet has a root')
  return root
}
