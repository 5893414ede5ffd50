// On the CPU, in place of the header of that name.
#error "assay/simt_compat.h does not cover cooperative groups"
