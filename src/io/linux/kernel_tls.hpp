#pragma once

// Whether this system's kernel puts TLS records around what a socket is given (Linux,
// Documentation/networking/tls.rst). It is a module, which the kernel loads by itself only for who
// has CAP_NET_ADMIN.
//
// Threads: any.

namespace steelyard::io {

bool kernel_has_tls();

}  // namespace steelyard::io
