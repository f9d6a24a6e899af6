// SPDX-License-Identifier: Apache-2.0
//
// Hibernate, and what pgjdbc does in bulk: Apps STORY. Prints what came of it.

import jakarta.persistence.CascadeType;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.LockModeType;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OneToMany;
import jakarta.persistence.Version;
import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

public class Apps {
  static final int MANY = 5000;
  static final String URL = "jdbc:postgresql://127.0.0.1:" + System.getenv("PGPORT") + "/demo?user=postgres&sslmode=disable";

  @Entity(name = "Customer")
  public static class Customer {
    @Id @GeneratedValue(strategy = GenerationType.SEQUENCE) Long id;
    @Version int version;
    String name;
    @OneToMany(mappedBy = "customer", cascade = CascadeType.ALL, orphanRemoval = true) List<Invoice> invoices = new ArrayList<>();
  }

  @Entity(name = "Invoice")
  public static class Invoice {
    @Id @GeneratedValue(strategy = GenerationType.IDENTITY) Long id;
    BigDecimal total;
    byte[] scan;
    @ManyToOne Customer customer;
  }

  static SessionFactory factory() {
    Configuration configuration = new Configuration().addAnnotatedClass(Customer.class).addAnnotatedClass(Invoice.class);
    configuration.setProperty("hibernate.connection.url", URL);
    configuration.setProperty("hibernate.hbm2ddl.auto", "create-drop");
    configuration.setProperty("hibernate.jdbc.batch_size", "50");
    configuration.setProperty("hibernate.order_inserts", "true");
    return configuration.buildSessionFactory();
  }

  static void hibernate() {
    try (SessionFactory factory = factory()) {
      factory.inTransaction(session -> {
        for (int n = 0; n < 300; ++n) {
          Customer customer = new Customer();
          customer.name = "it's " + n;
          for (int m = 0; m < 3; ++m) {
            Invoice invoice = new Invoice();
            invoice.total = new BigDecimal("1.25").multiply(BigDecimal.valueOf(n + m));
            invoice.scan = new byte[1000 * m];
            invoice.customer = customer;
            customer.invoices.add(invoice);
          }
          session.persist(customer);
        }
      });
      factory.inTransaction(session -> {
        Customer locked = session.createQuery("from Customer where name = :name", Customer.class)
            .setParameter("name", "it's 7").setLockMode(LockModeType.PESSIMISTIC_WRITE).getSingleResult();
        locked.name = "changed";
        locked.invoices.remove(0);
      });
      try (Session one = factory.openSession(); Session two = factory.openSession()) {
        one.beginTransaction();
        two.beginTransaction();
        one.createQuery("from Customer where name = 'changed'", Customer.class).getSingleResult().name = "one";
        Customer stale = two.createQuery("from Customer where name = 'changed'", Customer.class).getSingleResult();
        one.getTransaction().commit();
        stale.name = "two";
        two.getTransaction().commit();
        System.out.println("not stale");
      } catch (jakarta.persistence.OptimisticLockException error) {
        System.out.println("stale");
      }
      factory.inSession(session -> {
        System.out.println(session.createQuery("select count(i), sum(i.total), max(c.version) from Invoice i join i.customer c", Object[].class)
            .getResultList().stream().map(Arrays::toString).toList());
        System.out.println(session.createQuery("from Customer c join fetch c.invoices order by c.name", Customer.class).setMaxResults(3)
            .getResultList().stream().map(each -> each.name + " " + each.invoices.size()).toList());
        System.out.println(session.createNativeQuery("select name from Customer where name like ?1 order by 1", String.class)
            .setParameter(1, "it's 1%").setFetchSize(10).getResultStream().count());
      });
    }
  }

  static void batches() throws SQLException, java.io.IOException {
    for (boolean rewrites : new boolean[] {false, true}) {
      Properties properties = new Properties();
      properties.setProperty("reWriteBatchedInserts", String.valueOf(rewrites));
      try (Connection connection = DriverManager.getConnection(URL, properties)) {
        connection.createStatement().execute("CREATE TEMP TABLE t (a int PRIMARY KEY, b text)");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?, ?)")) {
          for (int n = 0; n < MANY; ++n) {
            insert.setInt(1, n);
            insert.setString(2, "row " + n);
            insert.addBatch();
          }
          System.out.println(insert.executeBatch().length);
          for (int n = MANY; n < MANY + 300; ++n) {
            insert.setInt(1, n == MANY + 200 ? 1 : n);
            insert.setString(2, "more");
            insert.addBatch();
          }
          insert.executeBatch();
        } catch (BatchUpdateException error) {
          System.out.println(error.getSQLState() + " " + error.getUpdateCounts().length);
        }
        CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
        System.out.println(copies.copyIn("COPY t FROM STDIN", new StringReader("100001\tx\n100002\ty\n")));
        try (ResultSet found = connection.createStatement().executeQuery("SELECT count(*), sum(a) FROM t")) {
          found.next();
          System.out.println(found.getLong(1) + " " + found.getLong(2));
        }
      }
    }
  }

  static void largeObjects() throws SQLException {
    try (Connection connection = DriverManager.getConnection(URL)) {
      connection.setAutoCommit(false);
      LargeObjectManager manager = connection.unwrap(PGConnection.class).getLargeObjectAPI();
      long oid = manager.createLO(LargeObjectManager.READWRITE);
      byte[] data = new byte[2000000];
      for (int n = 0; n < data.length; ++n) data[n] = (byte) (n * 31);
      try (LargeObject object = manager.open(oid, LargeObjectManager.WRITE)) {
        object.write(data);
        object.truncate(1500000);
      }
      try (LargeObject object = manager.open(oid, LargeObjectManager.READ)) {
        object.seek(1000);
        System.out.println(object.size() + " " + Arrays.hashCode(object.read(100000)) + " " + object.tell());
      }
      manager.delete(oid);
      connection.commit();
    }
  }

  public static void main(String[] arguments) throws Exception {
    java.util.logging.LogManager.getLogManager().reset();
    switch (arguments[0]) {
      case "hibernate" -> hibernate();
      case "batches" -> batches();
      case "large_objects" -> largeObjects();
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }
}
