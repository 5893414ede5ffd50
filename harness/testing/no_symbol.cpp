// A shared object that is no kernel library.
extern "C" int assay_harness_testing_unrelated(void) { return 1; }
