steelyard_fuzz(log_format log_format_fuzz.cpp expr)
steelyard_fuzz(string_expression string_expression_fuzz.cpp expr)
steelyard_fuzz(header_rule header_rule_fuzz.cpp expr)
