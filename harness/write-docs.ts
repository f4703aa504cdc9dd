/** Writes the generated pages: `npm run docs`. A test compares them with what they are generated from. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadDnsFaults } from '../peers/dns/faults.ts'
import { packageRoot } from '../peers/package-root.ts'
import { loadBehaviours } from '../peers/registry.ts'
import { behavioursMarkdown, catalogueMarkdown, dnsFaultsMarkdown } from '../scenarios/document.ts'
import { loadWaiting } from '../scenarios/waiting.ts'
import { allScenarios } from './catalogue.ts'

const root = packageRoot()
const { waiting } = await loadWaiting()
writeFileSync(join(root, 'scenarios', 'CATALOGUE.md'), catalogueMarkdown(await allScenarios(), waiting))
writeFileSync(join(root, 'peers', 'BEHAVIOURS.md'), behavioursMarkdown(await loadBehaviours()))
writeFileSync(join(root, 'peers', 'dns', 'FAULTS.md'), dnsFaultsMarkdown(await loadDnsFaults()))
