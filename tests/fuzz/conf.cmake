steelyard_fuzz(config config_fuzz.cpp apacheconf)
