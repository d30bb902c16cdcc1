/* Sound that nobody speaks in, for where words are not the subject: WAV of 8 bits, and of 8 kHz unless more bytes are wanted. */
const usual = 8000;
const head = 44;

/** So many seconds of what is between -1 and 1 at each sample. */
function wav(seconds: number, at?: (sample: number) => number, rate = usual): Buffer {
  const samples = Math.round(rate * seconds);
  const file = Buffer.alloc(head + samples, 0x80); // which is silence
  file.write("RIFF");
  file.writeUInt32LE(file.length - 8, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22); // channel
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate, 28); // bytes a second
  file.writeUInt16LE(1, 32);
  file.writeUInt16LE(8, 34); // bits
  file.write("data", 36);
  file.writeUInt32LE(samples, 40);
  if (at) for (let i = 0; i < samples; i++) file[head + i] = 0x80 + Math.round(127 * at(i));
  return file;
}

export const silence = (seconds: number) => wav(seconds);

/** A quiet tone. */
export const tone = (seconds = 0.4, rate = usual) => wav(seconds, (i) => 0.15 * Math.sin((2 * Math.PI * 330 * i) / rate), rate);

/** A tone that swells and fades, whose waveform has a shape. */
export const beep = (seconds: number) => wav(seconds, (i) => 0.47 * Math.sin(i / 3) * Math.sin(i / 900));
