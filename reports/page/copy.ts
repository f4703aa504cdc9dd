/** What a view gives to copy: the command that reproduces it, and Markdown for a bug report. */

export async function copyFrom(view: Element, what: string): Promise<void> {
  const text = what === 'issue' ? issueOf(view) : (view.querySelector('.run')?.textContent ?? '')
  const button = view.querySelector<HTMLButtonElement>(`button[data-copy="${what}"]`)
  const said = await write(text)
  if (button === null) return
  const label = button.dataset['label'] ?? button.textContent ?? ''
  button.dataset['label'] = label
  button.textContent = said ? 'Copied' : 'Not copied: the browser refused'
  setTimeout(() => {
    button.textContent = label
  }, 2000)
}

/** The text, and the ladder as a block of code whose fence is longer than any in it. */
function issueOf(view: Element): string {
  const head = view.querySelector('.issue')?.textContent ?? ''
  const rungs = [...view.querySelectorAll('.twin li')].map((item) => item.textContent?.replaceAll('\n', '\n    ') ?? '')
  if (rungs.length === 0) return head
  const ladder = rungs.join('\n')
  const longest = Math.max(2, ...[...ladder.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${head}\n\n${fence}text\n${ladder}\n${fence}\n`
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return writeBySelection(text)
  }
}

/** Where a page has no clipboard (an old browser, a file without permission), the selection is copied. */
function writeBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}
