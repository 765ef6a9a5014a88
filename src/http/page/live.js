// EventSource comes back by itself after a broken connection, but gives up after a refusal: then a new one is made.
import { address } from './api.js';

const KINDS = ['queue.added', 'queue.claimed', 'queue.released', 'queue.viewed', 'comment.decided', 'comment.deleted'];
// In milliseconds: how long a broken connection is worth no word, and the longest pause between tries.
const QUIET = 10_000;
const LONGEST_PAUSE = 60_000;

// `on.gap()` is called when events may have been missed. `on.ready()` is called once the stream is there, or broken for now:
// what is read from the server then misses nothing that is told.
export function follow(on) {
	let silence;
	let pause = 1000;

	function connect(missed) {
		const source = new EventSource(address('v1/events'));
		for (const kind of KINDS) source.addEventListener(kind, ({ data }) => on.event(kind, JSON.parse(data)));
		source.onopen = () => {
			clearTimeout(silence);
			silence = null;
			pause = 1000;
			on.offline(false);
			on.ready();
			if (missed) on.gap();
		};
		source.onerror = () => {
			on.ready();
			silence ??= setTimeout(() => on.offline(true), QUIET);
			if (source.readyState !== EventSource.CLOSED) return;
			// A new source starts without Last-Event-ID.
			setTimeout(connect, pause, true);
			pause = Math.min(pause * 2, LONGEST_PAUSE);
		};
	}

	connect(false);
}
