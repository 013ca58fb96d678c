"""What the tests and the benchmarks hold kl_lib against, written without it."""
