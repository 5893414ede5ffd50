// A shared object that is not a kernel library.
extern "C" int assay_harness_testing_unrelated(void) { return 1; }
