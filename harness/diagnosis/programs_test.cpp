// Lines about the variants that made the outputs of several cases.
#include "harness/diagnosis/programs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace assay {
namespace {

using ::testing::ElementsAre;

TEST(ProgramTally, ManyProgramsAreCountedByTheirUnits) {
  std::vector<std::string> names;
  for (const char* unit : {"one.f32", "two.f32"})
    for (int promoted = 32; promoted <= 192; promoted += 32)
      names.push_back(std::string(unit) + ", promoted every " + std::to_string(promoted) + ", acc * s");
  ProgramTally few, many;
  few.add(names, "case");
  EXPECT_EQ(few.lines().size(), 12u);
  EXPECT_EQ(few.lines().front(), "made by   one.f32, promoted every 128, acc * s; k whole");
  names.push_back("alone.f32, acc * s");
  many.add(names, "case");
  EXPECT_THAT(many.lines(), ElementsAre("made by   one of 13 algorithms that these outputs cannot distinguish:",
                                        "          alone.f32 in 1 way", "          one.f32 in 6 ways",
                                        "          two.f32 in 6 ways", "          results with more bits distinguish more of them"));
}

}  // namespace
}  // namespace assay
