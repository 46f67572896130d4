import { expect, test } from 'vitest'
import { cell } from './csv'

test.each([
  ['plain', 'plain'],
  [12.5, '12.5'],
  [-3, '-3'],
  [null, ''],
  ['a,b', '"a,b"'],
  ['say "x"', '"say ""x"""'],
  ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
  ['+1', "'+1"],
  ['@cmd', "'@cmd"],
  ['two\nlines', '"two\nlines"'],
])('%j as a cell of CSV', (v, want) => expect(cell(v)).toBe(want))
