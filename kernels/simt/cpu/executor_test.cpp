#include <gtest/gtest.h>
TEST(Executor, Placeholder) {}
