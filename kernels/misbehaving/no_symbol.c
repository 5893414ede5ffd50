/* A shared object that is no kernel library. */
#include "healthy.h"
