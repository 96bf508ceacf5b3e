#include "tls/kernel_records.hpp"

#include <openssl/bio.h>

#include <cerrno>

#include "base/check.hpp"
#include "io/kernel_socket.hpp"

namespace steelyard::tls {

std::unique_ptr<KernelRecords> KernelRecords::over(io::Stream& below) {
  const auto* const socket = dynamic_cast<const io::KernelSocket*>(&below);
  if (socket == nullptr) return nullptr;
  return std::unique_ptr<KernelRecords>(new KernelRecords(below, *socket));
}

KernelRecords::KernelRecords(io::Stream& below, const io::KernelSocket& socket)
    : below_(below), socket_(socket), bio_(BIO_new_socket(socket.descriptor(), BIO_NOCLOSE)) {
  CHECK(bio_);
}

bool KernelRecords::sends() const { return BIO_get_ktls_send(bio_.get()); }

bool KernelRecords::receives() const { return BIO_get_ktls_recv(bio_.get()); }

long KernelRecords::control(int command, long number, void* pointer) {
  return BIO_ctrl(bio_.get(), command, number, pointer);
}

bool KernelRecords::is_settled() { return below_.settle() && (!sends() || socket_.has_room()); }

io::IoResult KernelRecords::read(std::span<char> room) {
  std::size_t got = 0;
  if (BIO_read_ex(bio_.get(), room.data(), room.size(), &got) == 1) return {io::IoStatus::ok, got};
  if (BIO_should_retry(bio_.get()) != 0) return {io::IoStatus::would_block};
  if (BIO_eof(bio_.get()) != 0) return {io::IoStatus::end};
  return {io::IoStatus::failed, 0, errno};
}

io::IoResult KernelRecords::write(std::string_view bytes) {
  if (!below_.settle()) return {io::IoStatus::would_block};
  std::size_t written = 0;
  if (BIO_write_ex(bio_.get(), bytes.data(), bytes.size(), &written) == 1)
    return {io::IoStatus::ok, written};
  if (BIO_should_retry(bio_.get()) != 0) return {io::IoStatus::would_block};
  return {io::IoStatus::failed, 0, errno};
}

}  // namespace steelyard::tls
