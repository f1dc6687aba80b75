#!/usr/bin/env python3
"""The race: whole training steps of Tenon and of PyTorch, JAX and Keras, in interleaved rounds.

    make bench
    .cache/race-env/bin/python benchmarks/race/race.py --workloads C1,C2 --peers jax,torch.eager_fused

Every stack begins with the same weights and sees the same batches, a fresh one in each step; whose
losses differ from the others' is void. docs/benchmarks.md says how, and how to add a workload or a peer.
"""
import argparse
import os
import pathlib
import shlex
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse(arguments):
    import arrays
    import workloads

    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)

    def listed(text):
        return [word for word in text.split(",") if word]

    parser.add_argument("--workloads", type=listed, default=list(workloads.USUAL),
                        help="C1 to C6, C2-32, C2-128; or none")
    parser.add_argument("--peers", type=listed, default=[], help="stacks or parts of names: torch, jax.jit")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1, help="factor of the seconds of each turn")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tenon", type=pathlib.Path, default=ROOT / "build" / "tenon")
    parser.add_argument("--no-warm", dest="warm", action="store_false",
                        help="leave out peers' second starts, with filled caches")
    parser.add_argument("--random-shapes", type=int, metavar="SEED",
                        help="also run C1 to C5 at drawn shapes")
    parser.add_argument("--shapes-each", type=int, default=2, help="drawn shapes of each workload")
    parser.add_argument("--fit", action="store_true", help="also run C2fit: epochs of the fit loops")
    parser.add_argument("--inference", action="store_true", help="also run inference")
    parser.add_argument("--mnist", default=os.environ.get("TENON_RACE_MNIST", arrays.DIGITS),
                        help="a folder in MNIST's format (Fashion-MNIST)")
    parser.add_argument("--text", default=os.environ.get("TENON_RACE_TEXT"),
                        help="a text for C4 and C5 (a drawn one)")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "build" / "race")
    parser.add_argument("--out", type=pathlib.Path, help="RESULTS.md, with RESULTS.json beside it (in --work)")
    parser.add_argument("--keep", action="store_true",
                        help="keep what RESULTS.json beside --out holds and this run does not measure")
    options = parser.parse_args(arguments)
    options.out = options.out or options.work / "RESULTS.md"
    if options.workloads == ["none"]:
        options.workloads = []
    try:
        workloads.choose(options.workloads)
    except ValueError as error:
        parser.error(str(error))
    if options.rounds < 1 or options.scale <= 0:
        parser.error("--rounds must be 1 or more and --scale above 0")
    if not options.tenon.exists():
        parser.error(f"{options.tenon} does not exist; build it (make build) or name it by --tenon")
    options.tenon = options.tenon.resolve()
    return options


def command_text(arguments):
    """The command as it would be written elsewhere: without what is about this checkout alone."""
    words, rest = ["race.py"], iter(arguments)
    for word in rest:
        name, has_value, _ = word.partition("=")
        if name in ("--tenon", "--out", "--work"):
            if not has_value:
                next(rest, None)
        elif name in ("--mnist", "--text"):
            if not has_value:
                next(rest, None)
            words += [name, "..."]
        else:
            words.append(word)
    return shlex.join(words).replace("'...'", "...")


def main():
    options = parse(sys.argv[1:])
    import processes
    import report
    import workloads
    from workload_race import WorkloadRace

    begin = time.monotonic()

    def say(text):
        print(f"[{time.monotonic() - begin:5.0f} s] {text}", file=sys.stderr, flush=True)

    os.sched_setaffinity(0, processes.choose_cores(options.threads))
    results = report.Results(options, command_text(sys.argv[1:]))
    options.work.mkdir(parents=True, exist_ok=True)
    chosen = workloads.choose(options.workloads)
    if options.random_shapes is not None:
        usual = [w for w in workloads.choose(workloads.USUAL) if w.id != "C2-128"]
        chosen += workloads.draw_shapes(usual, options.random_shapes, options.shapes_each)
    for workload in chosen:
        say(f"{workload.id}: {workload.title}")
        results.add("workloads", workload.id, WorkloadRace(workload, options, options.work, say).run())
        results.write()
    if options.fit:
        import fit_race

        for batch in (32, 128):
            results.add("fit", f"C2fit-{batch}", fit_race.run(batch, options, say))
            results.write()
    if options.inference:
        import inference_race

        for case, result in inference_race.run(options, say):
            results.add("inference", case, result)
            results.write()
    results.write()
    print(results.summary())
    say(f"written: {options.out}")


if __name__ == "__main__":
    main()
