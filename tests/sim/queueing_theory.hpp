// What theory says about many members that serve one request at a time, in order, with exponential
// service times of mean 1, when requests arrive by chance and keep each busy for the part `load` of
// the time.
#pragma once

namespace steelyard::sim {

// The time from arrival to answer that 99 of 100 requests stay below.
//
// One member at random: each is an M/M/1 queue, whose times are exponential with rate 1 - load.
double p99_of_one_choice(double load);

// The shorter queue of two (Vvedenskaya, Dobrushin, Karpelevich 1996; Mitzenmacher 1996): with many
// members the part of queues that are at least k long is load^(2^k - 1). A request becomes the k-th
// of its queue when both were shorter than k and not both shorter than k - 1, and then takes k
// service times.
double p99_of_two_choices(double load);

}  // namespace steelyard::sim
