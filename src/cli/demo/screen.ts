import { styleText } from 'node:util';

const width = 28;

/** What the demo prints. On a terminal the line of a running execution is redrawn; in a pipe it is left out. */
export interface Screen {
  heading(text: string): void;
  line(text: string): void;
  /** Above the progress line, if there is one. */
  event(type: string, name: string, signatureOk: boolean): void;
  progress(label: string, done: number, total: number): void;
  /** Ends the progress line with its result. */
  done(label: string, result: string): void;
  check(ok: boolean, text: string): void;
}

export function createScreen(out: NodeJS.WriteStream): Screen {
  let current = '';
  const clear = () => {
    if (out.isTTY && current !== '') out.write('\r\u001b[2K');
  };
  const print = (text: string) => {
    clear();
    out.write(`${text}\n`);
    if (out.isTTY && current !== '') out.write(current);
  };
  return {
    heading: (text) => print(`\n${styleText('bold', text)}`),
    line: (text) => print(`  ${text}`),
    event(type, name, signatureOk) {
      const seal = signatureOk ? styleText('green', 'signature ok') : styleText('red', 'BAD SIGNATURE');
      print(`  ${styleText('cyan', '→')} ${type.padEnd(27)} ${seal}  ${styleText('dim', name)}`);
    },
    progress(label, done, total) {
      if (!out.isTTY) return;
      const share = total === 0 ? 0 : Math.min(done / total, 1);
      const bar = '█'.repeat(Math.round(share * width)).padEnd(width, '░');
      clear();
      current = `  ${label.padEnd(34)} ${bar} ${done.toLocaleString('en')}`;
      out.write(current);
    },
    done(label, result) {
      clear();
      current = '';
      print(`  ${styleText('green', '✓')} ${label.padEnd(32)} ${result}`);
    },
    check(ok, text) {
      print(`  ${ok ? styleText('green', '✓') : styleText('red', '✗')} ${text}`);
    },
  };
}
