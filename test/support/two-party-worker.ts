// A worker of a browser that answers a question for digestTranscript.
import { digestTranscript } from './two-party-digest.ts';

self.onmessage = ({ data }: MessageEvent<Parameters<typeof digestTranscript>>) => {
  self.postMessage(digestTranscript(...data));
};
