/** The loudness of each person, measured in the played audio (Web Audio). */
import type { Levels } from '../scene';

export class Loudness {
  private context: AudioContext | undefined;
  private readonly analysers = new Map<HTMLMediaElement, { person: string; analyser: AnalyserNode }>();
  private readonly samples = new Float32Array(1024);

  /** Start, or continue after the browser suspended the audio: it allows sound only after a user gesture. */
  start(): void {
    this.context ??= new AudioContext();
    if (this.context.state === 'suspended') this.context.resume().catch(() => undefined);
  }

  /** Measure an element, whose sound is played through this graph from now on. */
  add(element: HTMLMediaElement, person: string): void {
    if (this.context === undefined || this.analysers.has(element)) return;
    const analyser = this.context.createAnalyser();
    analyser.fftSize = this.samples.length;
    this.context.createMediaElementSource(element).connect(analyser).connect(this.context.destination);
    this.analysers.set(element, { person, analyser });
  }

  /** Each person's root mean square over the last 20 ms. */
  levels(): Levels {
    const found: Record<string, number> = {};
    for (const { person, analyser } of this.analysers.values()) {
      analyser.getFloatTimeDomainData(this.samples);
      const power = this.samples.reduce((sum, each) => sum + each * each, 0) / this.samples.length;
      found[person] = Math.max(found[person] ?? 0, Math.sqrt(power));
    }
    return found;
  }

  stop(): void {
    void this.context?.suspend();
  }
}
