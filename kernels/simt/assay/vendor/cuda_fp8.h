// On the CPU, in place of the header of that name.
#pragma once

#include "assay/simt_compat.h"
