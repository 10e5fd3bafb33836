"""The 28x28 DCGAN of the field's tutorials, as a compiled Keras/TensorFlow program: the peer of bench/throughput.py.

It runs in its own environment (no import of danqing): ``python keras_dcgan.py DIGITS.npy SECONDS`` reads uint8 pictures
(N, 28, 28), trains for the given time after a warm-up, and prints one line of JSON with the steps a second.
"""

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential, layers

BATCH, LATENT, WARM_UP = 128, 100, 8


def painter() -> Sequential:
    return Sequential(
        [
            layers.Input((LATENT,)),
            layers.Dense(7 * 7 * 256, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Reshape((7, 7, 256)),
            layers.Conv2DTranspose(128, 4, strides=1, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(64, 4, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(1, 4, strides=2, padding="same", use_bias=False, activation="tanh"),
        ]
    )


def critic() -> Sequential:
    return Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(64, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Conv2D(128, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


def main(file: str, seconds: float) -> None:
    tf.keras.utils.set_random_seed(0)
    digits = np.load(file)[..., None].astype(np.float32) / 127.5 - 1
    data = iter(tf.data.Dataset.from_tensor_slices(digits).shuffle(len(digits)).repeat().batch(BATCH, True).prefetch(2))
    paint, judge = painter(), critic()
    entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    optimisers = tf.keras.optimizers.Adam(1e-4), tf.keras.optimizers.Adam(1e-4)

    @tf.function
    def step(real):
        z = tf.random.normal([BATCH, LATENT])
        with tf.GradientTape() as of_painter, tf.GradientTape() as of_critic:
            fake = paint(z, training=True)
            on_real, on_fake = judge(real, training=True), judge(fake, training=True)
            painter_loss = entropy(tf.ones_like(on_fake), on_fake)
            critic_loss = entropy(tf.ones_like(on_real), on_real) + entropy(tf.zeros_like(on_fake), on_fake)
        for tape, loss, net, optimiser in (
            (of_painter, painter_loss, paint, optimisers[0]),
            (of_critic, critic_loss, judge, optimisers[1]),
        ):
            slopes = tape.gradient(loss, net.trainable_variables)
            optimiser.apply_gradients(zip(slopes, net.trainable_variables, strict=True))
        return painter_loss, critic_loss

    for _ in range(WARM_UP):
        step(next(data))
    began, worked, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        losses = step(next(data))
        float(losses[0])
        steps += 1
    figures = {
        "steps_per_second": steps / (time.perf_counter() - began),
        "cpu_seconds_per_step": (time.process_time() - worked) / steps,
        "painter_loss": float(losses[0]),
        "tensorflow": tf.__version__,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
